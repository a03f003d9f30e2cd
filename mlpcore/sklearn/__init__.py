"""Estimators of scikit-learn that train with mlpcore: change the import, and keep the rest.

scikit-learn is needed for this package only: ``pip install 'mlpcore[sklearn]'``.
"""

from mlpcore import extras

extras.require("sklearn", "sklearn")

from mlpcore.sklearn.classifier import MLPClassifier  # noqa: E402
from mlpcore.sklearn.regressor import MLPRegressor  # noqa: E402
from mlpcore.sklearn.tabular_classifier import TabularClassifier  # noqa: E402
from mlpcore.sklearn.tabular_files import load  # noqa: E402
from mlpcore.sklearn.tabular_regressor import TabularRegressor  # noqa: E402

__all__ = ["MLPClassifier", "MLPRegressor", "TabularClassifier", "TabularRegressor", "load"]

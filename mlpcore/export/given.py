"""What every writer takes: a model with weights."""

from mlpcore.model import Sequential


def require_model(model: object) -> Sequential:
    """Return the model; TypeError if it is none, RuntimeError if it has no weights yet."""
    if not isinstance(model, Sequential):
        raise TypeError(
            f"model is {model!r}, expected a mlpcore.Sequential: of an estimator of mlpcore.sklearn its model_, or one "
            "of its models_"
        )
    model._built()
    return model

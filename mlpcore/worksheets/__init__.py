"""Hand-calculation sheets: small networks with exact answers, and a key apart from them.

>>> import mlpcore
>>> sheet = mlpcore.worksheet([2, 2, 1], seed=7)
>>> sheet
<Worksheet 7: a 2-2-1 network by hand>
>>> document = sheet.to_latex(), sheet.key.to_latex()
"""

from mlpcore.worksheets.page import Page
from mlpcore.worksheets.sheet import Worksheet, worksheet

__all__ = ["Page", "Worksheet", "worksheet"]

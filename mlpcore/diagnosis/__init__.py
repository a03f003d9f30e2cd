"""What is wrong with a student's answer: arrays and functions compared with the right ones, mistakes named.

`values`, `equations`     what an equation reads and gives, in NumPy
`others`                  equations that only exercises ask for, of an optimizer's arrays, dropout, batch norm
`mistakes`, `of_...`      what stands there instead: the catalogue of mistakes, in `table`
`passes`, `references`    the numbers to judge by, and how far roundings may move them
`answers`, `judging`      from what was given to a verdict
`diagnose`, `whole`       the functions that users call: one answer, and a whole pass

``docs/diagnose.md`` lists the mistakes.
"""

from mlpcore.diagnosis.diagnose import diagnose
from mlpcore.diagnosis.equations import EQUATIONS, Equation
from mlpcore.diagnosis.mistakes import Mistake
from mlpcore.diagnosis.table import MISTAKES
from mlpcore.diagnosis.verdict import Diagnoses, Diagnosis
from mlpcore.diagnosis.whole import diagnose_all

__all__ = ["EQUATIONS", "MISTAKES", "Diagnoses", "Diagnosis", "Equation", "Mistake", "diagnose", "diagnose_all"]

"""Measures csrc/reference/elementary.h in double against mpmath on a million points of each function: minutes.

python tests/exhaustive/float64_mpmath.py [SEED]

Needs mlpcore and its `test` extra. Prints the worst error in ulp and where it is; exits with 1 if one is above
what elementary.h states.
"""

import multiprocessing
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from test_elementary import FUNCTIONS, MOST_ULP, points_of, worst_in_double

POINTS = 1_000_000


def measure(task: tuple[str, int]) -> tuple[str, float, float]:
    """Worst error of one function, and its input."""
    name, seed = task
    return name, *worst_in_double(name, points_of(name, POINTS, seed))


def main() -> int:
    """Measure all functions, as many at a time as there are cores."""
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    good = True
    with multiprocessing.Pool() as pool:
        for name, worst, x in pool.imap(measure, [(name, seed) for name in FUNCTIONS]):
            good = good and worst <= MOST_ULP[name]
            print(f"{name:8} double worst {worst:.3f} ulp at {x.hex()}", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

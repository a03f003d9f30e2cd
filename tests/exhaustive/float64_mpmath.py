"""Measures elementary.h and the activations in double against mpmath on a million points of each function: an hour.

python tests/exhaustive/float64_mpmath.py [SEED]

Needs mlpcore and its `test` extra. Prints the worst error in ulp and where it is; exits with 1 if one is above
what elementary.h or reference/activations.c states.
"""

import multiprocessing
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import test_activations
import test_elementary

POINTS = 1_000_000


def measure(task: tuple[str, str, int]) -> tuple[str, float, float, bool]:
    """Worst error of one function, its input, and whether it is small enough."""
    family, name, seed = task
    module = test_elementary if family == "elementary" else test_activations
    worst, x = module.worst_in_double(name, module.points_of(name, POINTS, seed))
    most = test_elementary.MOST_ULP[name] if family == "elementary" else test_activations.MOST_ULP
    return name, worst, x, worst <= most


def main() -> int:
    """Measure all functions, as many at a time as there are cores."""
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    tasks = [("elementary", name, seed) for name in test_elementary.FUNCTIONS]
    tasks += [("activation", name, seed) for name in test_activations.EXACT]
    good = True
    with multiprocessing.Pool() as pool:
        for name, worst, x, is_good in pool.imap(measure, tasks):
            good = good and is_good
            print(f"{name:11} double worst {worst:.3f} ulp at {x.hex()}", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

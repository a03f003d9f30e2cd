"""Derives the polynomials of csrc/reference/elementary.h: prints the coefficients and the error left.

    python tests/exhaustive/coefficients.py

Each polynomial P approximates a g(x) so that weight(x) * (P - g), the relative error of the whole function, has the
smallest possible maximum. A coefficient cannot be stored exactly; so the constant one is rounded to the
real type first, the others are fitted again to make up for it, the next one is rounded, and so on.
"""

from collections.abc import Callable

from mpmath import (
    atanh,
    cos,
    erf,
    erfc,
    exp,
    fdot,
    fsum,
    linspace,
    log,
    lu_solve,
    matrix,
    mp,
    mpf,
    nstr,
    pi,
    polyval,
    sqrt,
)

mp.dps = 50

Function = Callable[[mpf], mpf]


def exp_g(r: mpf) -> mpf:
    """e^r = 1 + r + r^2 g(r)."""
    return (exp(r) - 1 - r) / r**2 if abs(r) > mpf(10) ** -20 else mpf(1) / 2 + r / 6


def log_g(z: mpf) -> mpf:
    """log((1+s)/(1-s)) = 2s + s z g(z), z = s^2."""
    s = sqrt(z)
    return (2 * atanh(s) / s - 2) / z if z > mpf(10) ** -20 else mpf(2) / 3 + 2 * z / 5


def erf_g(z: mpf) -> mpf:
    """erf(x) = x + x g(z), z = x^2."""
    x = sqrt(z)
    return erf(x) / x - 1 if z > mpf(10) ** -20 else 2 / sqrt(pi) * (1 - z / 3) - 1


def tail_g(t: mpf, middle: mpf) -> mpf:
    """Phi(-x) = e^(-x^2 / 2) g(t) / (x + middle) for x >= 0, t = (x - middle) / (x + middle)."""
    x = middle * (1 + t) / (1 - t)
    return exp(x**2 / 2) * erfc(x / sqrt(2)) / 2 * (x + middle)


def rounded(c: mpf, bits: int) -> mpf:
    """C to the nearest number of so many bits."""
    with mp.workprec(bits):
        return +c


def minimax(g: Function, weight: Function, points: list[mpf], first: int, last: int) -> list[mpf]:
    """Coefficients of x^first ... x^last with the least maximum of |weight (P - g)| over the points.

    Lawson's iteration: least squares, in which a point counts the more, the larger its error was so far.
    """
    rows = [[weight(x) * x**k for k in range(first, last + 1)] for x in points]
    values = [weight(x) * g(x) for x in points]
    importance = [mpf(1)] * len(points)
    lowest, best = mpf("inf"), []
    for _ in range(60):
        columns = list(zip(*rows, strict=True))
        products = [[fdot(zip(u, v, strict=True)) for v in columns] for u in map(scaled(importance), columns)]
        right = [fdot(zip(u, values, strict=True)) for u in map(scaled(importance), columns)]
        c = list(lu_solve(matrix(products), matrix(right)))
        errors = [abs(fdot(zip(row, c, strict=True)) - value) for row, value in zip(rows, values, strict=True)]
        if max(errors) < lowest:
            lowest, best = max(errors), c
        importance = [i * e for i, e in zip(importance, errors, strict=True)]
        total = fsum(importance)
        importance = [i / total for i in importance]
    return best


def scaled(factors: list[mpf]) -> Callable[[tuple[mpf, ...]], list[mpf]]:
    """Return a function that multiplies a column by the factors."""
    return lambda column: [f * x for f, x in zip(factors, column, strict=True)]


def fit(g: Function, weight: Function, low: mpf, high: mpf, degree: int, bits: int) -> None:
    """Print minimax coefficients, each of so many bits."""
    nodes = [(low + high) / 2 - (high - low) / 2 * cos(pi * i / 80) for i in range(81)]
    known: list[mpf] = []
    while len(known) <= degree:
        best = minimax(lambda x: g(x) - polyval(known[::-1], x), weight, nodes, len(known), degree)
        known.append(rounded(best[0], bits))
    worst = max(abs(weight(x) * (polyval(known[::-1], x) - g(x))) for x in linspace(low, high, 1001))
    print(f"{bits} bits, degree {degree}, error {nstr(worst * mpf(2) ** bits, 2)} of 2^-{bits}")
    for c in known:
        print("   ", float(c).hex(), "=", nstr(c, 17))


def main() -> None:
    """Print the tables of both types."""
    tiny = mpf(10) ** -9
    for bits, exp_degree, log_degree in ((24, 4, 2), (53, 9, 6)):
        print("exp")
        half = log(2) / 2 * (1 + mpf(2) ** -10)
        fit(exp_g, lambda r: (r**2 + tiny) / exp(r), -half, half, exp_degree, bits)
        print("log")
        most = ((sqrt(2) - 1) / (sqrt(2) + 1)) ** 2
        fit(log_g, lambda z: z / 2 + tiny, mpf(0), most, log_degree, bits)
        print("erf")
        fit(erf_g, lambda z: 1 / (1 + erf_g(z)), mpf(0), mpf(1), 6 if bits == 24 else 12, bits)
        middle, highest, degree = (mpf(4), mpf(15), 10) if bits == 24 else (mpf(5), mpf(40), 21)
        print("tail of the normal distribution")
        last = (highest - middle) / (highest + middle)
        fit(lambda t, k=middle: tail_g(t, k), lambda t, k=middle: 1 / tail_g(t, k), mpf(-1), last, degree, bits)
        high = rounded(log(2), bits - (9 if bits == 24 else 12))
        print("ln2", float(high).hex(), "+", float(rounded(log(2) - high, bits)).hex())
        print("log2 e", float(rounded(1 / log(2), bits)).hex())


if __name__ == "__main__":
    main()

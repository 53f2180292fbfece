#!/usr/bin/env python3
"""Polynomials of the elementary functions (compiler/src/pass/elementary), by the Remez exchange algorithm.

    python3 -m pip install mpmath
    python3 compiler/tools/minimax.py            every polynomial
    python3 compiler/tools/minimax.py exp log    those whose names begin so

For each polynomial it prints the coefficients, rounded to the precision that evaluates them, and the largest weighted
error of the rounded polynomial. The weight turns the polynomial's error into the relative error of the function. The
rounding error of a coefficient enters the minimax problem of the following ones: coefficients are fixed one by one,
lowest power first, and the rest is fitted again.
"""

import struct
import sys

from mpmath import (asin, asinh, atan, cos, cosh, erf, erfc, exp, expm1, fabs, ln, log, log1p, lu_solve, matrix, mp,
                    mpf, pi, sin, sqrt, tan)

mp.dps = 50
LN2 = ln(mpf(2))


def rounded(value, single):
    if single:
        # To double first would round twice; the chance is 2^-29 and the loss nil.
        return mpf(struct.unpack("f", struct.pack("f", float(value)))[0])
    return mpf(float(value))


def remez(f, weight, low, high, powers, iterations=12, grid=400):
    """Coefficients of sum c_i x^powers[i] that minimise max |weight (f - sum)| on [low, high]."""
    n = len(powers)
    at = [(low + high) / 2 + (high - low) / 2 * cos(pi * (2 * i + 1) / (2 * (n + 1))) for i in range(n + 1)][::-1]
    xs = [(low + high) / 2 - (high - low) / 2 * cos(pi * i / grid) for i in range(grid + 1)]
    fs, ws = [f(x) for x in xs], [weight(x) for x in xs]
    monomials = [[x**p for p in powers] for x in xs]
    for _ in range(iterations):
        a, b = matrix(n + 1, n + 1), matrix(n + 1, 1)
        for row, x in enumerate(at):
            for column, p in enumerate(powers):
                a[row, column] = x**p
            a[row, n] = mpf(-1) ** row / weight(x)
            b[row] = f(x)
        solution = lu_solve(a, b)
        c, level = [solution[i] for i in range(n)], fabs(solution[n])
        error = [w * (y - sum(k * m for k, m in zip(c, ms))) for w, y, ms in zip(ws, fs, monomials)]
        # The largest error of each run of equal sign.
        extrema = []
        for i, e in enumerate(error):
            if extrema and (error[extrema[-1]] > 0) == (e > 0):
                if fabs(e) > fabs(error[extrema[-1]]):
                    extrema[-1] = i
            else:
                extrema.append(i)
        while len(extrema) > n + 1:
            extrema.pop(0 if fabs(error[extrema[0]]) < fabs(error[extrema[-1]]) else -1)
        if len(extrema) < n + 1:
            break
        at = [xs[i] for i in extrema]
        if fabs(error[max(extrema, key=lambda i: fabs(error[i]))]) < level * mpf("1.01"):
            break
    return c


def fit(name, f, weight, low, high, powers, single=False, fixed=2, grid=400):
    """Prints the polynomial; the first `fixed` coefficients are rounded one by one before the rest is fitted."""
    low, high = mpf(low), mpf(high)
    done = []
    while True:
        rest = powers[len(done):]
        g = lambda x: f(x) - sum(c * x**p for c, p in zip(done, powers))
        c = remez(g, weight, low, high, rest, grid=grid)
        if len(done) < fixed and len(rest) > 1:
            done.append(rounded(c[0], single))
        else:
            done += [rounded(k, single) for k in c]
            break
    xs = [low + (high - low) * i / 1000 for i in range(1001)]
    worst = max(fabs(weight(x) * (f(x) - sum(k * x**p for k, p in zip(done, powers)))) for x in xs)
    print(f"{name}{'' if not single else ' (single)'}: error 2^{float(log(worst, 2)):.1f} on [{float(low)}, {float(high)}]")
    for k, p in zip(done, powers):
        print(f"    {float(k)!r}, // x^{p}")


def range_of(n):
    return list(range(n))


def parts(name, value, widths):
    """Prints `value` as a sum of numbers of the given significand widths."""
    print(name)
    rest = value
    for width in widths:
        exponent = int(mp.floor(log(fabs(rest), 2))) + 1
        part = mp.nint(rest * mpf(2) ** (width - exponent)) * mpf(2) ** (exponent - width)
        print(f"    {float(part)!r}")
        rest -= part


# e^r = 1 + r + r^2 q(r)
def exp_tail(r):
    return mpf(1) / 2 + r / 6 if fabs(r) < mpf("1e-20") else (expm1(r) - r) / r**2


def exponential(name, count, single):
    fit(name, exp_tail, lambda r: fabs(r) * (fabs(r) + mpf("0.05")) + mpf("1e-3"), -LN2 / 2 * mpf("1.0001"), LN2 / 2 * mpf("1.0001"), range_of(count), single, fixed=0)


# The same on the interval that makes e^r 3/4 to 3/2.
def skew_exponential(name, count, single):
    low, high = (mpf("0.085") - mpf("0.5")) * LN2, (mpf("0.085") + mpf("0.5")) * LN2
    fit(name, exp_tail, lambda r: (r**2 + mpf("1e-3")) / exp(r), low - mpf("1e-4"), high + mpf("1e-4"), range_of(count), single, fixed=0)


# log(1 + f) = 2 s + s z p(z), s = f / (2 + f), z = s^2
def log_tail(z):
    s = sqrt(z)
    return mpf(2) / 3 + 2 * z / 5 if z < mpf("1e-30") else (log1p(s) - log1p(-s) - 2 * s) / (s * z)


def logarithm(name, count, single):
    top = (3 - 2 * sqrt(mpf(2))) ** 2 * mpf("1.0001")
    fit(name, log_tail, lambda z: z + mpf("1e-4"), 0, top, range_of(count), single)


# sin r = r + r z p(z), z = r^2
def sin_tail(z):
    r = sqrt(z)
    return -mpf(1) / 6 + z / 120 if z < mpf("1e-30") else (sin(r) - r) / (r * z)


def sine(name, count, single):
    top = (pi / 2 * mpf("1.0001")) ** 2
    fit(name, sin_tail, lambda z: z / (sin(sqrt(z)) / sqrt(z)) if z > 0 else mpf(0), mpf("1e-12"), top, range_of(count), single)


# atan r = r + r z p(z), z = r^2
def atan_tail(z):
    r = sqrt(z)
    return -mpf(1) / 3 + z / 5 if z < mpf("1e-30") else (atan(r) - r) / (r * z)


def inverse_tangent(name, count, single):
    top = (sqrt(mpf(2)) - 1) ** 2 * mpf("1.0001")
    fit(name, atan_tail, lambda z: z + mpf("1e-4"), 0, top, range_of(count), single)


# The same as `log` for s <= 1/3: log(1 + e) with e <= 1.
def wide_logarithm(name, count, single):
    fit(name, log_tail, lambda z: z + mpf("1e-3"), 0, mpf("1.0001") / 9, range_of(count), single)


# log(1 + f) = 2 s + s z (2/3 + z q(z))
def log_second_tail(z):
    return mpf(2) / 5 + 2 * z / 7 if z < mpf("1e-20") else (log_tail(z) - mpf(2) / 3) / z


def power_logarithm(name, count, single):
    top = (3 - 2 * sqrt(mpf(2))) ** 2 * mpf("1.0001")
    fit(name, log_second_tail, lambda z: z * (z + mpf("1e-3")), 0, top, range_of(count), single, fixed=0)


# asin r = r + r z p(z), z = r^2
def asin_tail(z):
    r = sqrt(z)
    return mpf(1) / 6 + 3 * z / 40 if z < mpf("1e-20") else (asin(r) - r) / (r * z)


def inverse_sine(name, count, single):
    fit(name, asin_tail, lambda z: z + mpf("1e-3"), 0, mpf("0.2501"), range_of(count), single)


# tan r = r + r z p(z), z = r^2
def tan_tail(z):
    r = sqrt(z)
    return mpf(1) / 3 + 2 * z / 15 if z < mpf("1e-20") else (tan(r) - r) / (r * z)


def tangent(name, count, single):
    top = (pi / 4 * mpf("1.001")) ** 2
    fit(name, tan_tail, lambda z: z + mpf("1e-3"), 0, top, range_of(count), single)


# erf r = r + r p(r^2)
def erf_ratio(z):
    r = sqrt(z)
    return 2 / sqrt(pi) * (1 - z / 3) - 1 if z < mpf("1e-20") else erf(r) / r - 1


def error_function(name, count, single):
    fit(name, erf_ratio, lambda z: 1 / (1 + erf_ratio(z)), 0, mpf("1.01"), range_of(count), single)


# erf a = 1 - e^-q(a - 1)
def error_exponent(name, count, top, single):
    fit(name, lambda t: -ln(erfc(t + 1)), lambda t: erfc(t + 1), mpf("-0.01"), mpf(top), range_of(count), single, fixed=0)


JOBS = {
    "exp": lambda: exponential("exp", 10, False),
    "exp32": lambda: exponential("exp", 5, True),
    "skew": lambda: skew_exponential("skew exp", 10, False),
    "skew32": lambda: skew_exponential("skew exp", 5, True),
    "log": lambda: logarithm("log", 7, False),
    "log32": lambda: logarithm("log", 3, True),
    "sin": lambda: sine("sin", 8, False),
    "sin32": lambda: sine("sin", 5, True),
    "softplus": lambda: wide_logarithm("softplus", 10, False),
    "softplus32": lambda: wide_logarithm("softplus", 5, True),
    "atan": lambda: inverse_tangent("atan", 11, False),
    "atan32": lambda: inverse_tangent("atan", 5, True),
    "asin": lambda: inverse_sine("asin", 12, False),
    "asin32": lambda: inverse_sine("asin", 5, True),
    "tan": lambda: tangent("tan", 14, False),
    "tan32": lambda: tangent("tan", 7, True),
    "erf": lambda: error_function("erf", 14, False),
    "erf32": lambda: error_function("erf", 8, True),
    "erfexp": lambda: error_exponent("erfexp", 18, 4.95, False),
    "erfexp32": lambda: error_exponent("erfexp", 9, 3.0, True),
    "pow": lambda: power_logarithm("pow", 8, False),
    "pow32": lambda: power_logarithm("pow", 3, True),
    "parts": lambda: (
        parts("ln 2", LN2, (42, 53)),
        parts("ln 2 (single)", LN2, (16, 24)),
        parts("pi", pi, (53, 53, 53)),
        parts("pi / 2", pi / 2, (53, 53, 53)),
        parts("pi (single)", pi, (24, 24, 24)),
        parts("pi / 2 (single)", pi / 2, (24, 24, 24)),
    ),
}

if __name__ == "__main__":
    for name, job in JOBS.items():
        if len(sys.argv) == 1 or any(name.startswith(a) for a in sys.argv[1:]):
            job()

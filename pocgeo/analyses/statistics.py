"""Exact tails for counts, fractional ones too, and false-discovery control."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc, gammainc

__all__ = [
    "empirical_bayes_rate", "excess_p", "false_discovery_cut", "false_discovery_q", "rate_fall_p",
    "rate_rise_p",
]  # fmt: skip

Floats = NDArray[np.float64]

SLACK = 1e-9
"""Sums of fractional weights that should be whole differ from it by rounding alone."""


def excess_p(observed: ArrayLike, expected: ArrayLike) -> Floats:
    """Chance of at least `observed` incidents where `expected` are due (Poisson, upper tail).

    P(X >= o | e) is the regularised lower incomplete gamma function at (o, e), which also
    reads fractional counts, as they come from incidents spread over several cells.

    Parameters
    ----------
    observed, expected : array-like, non-negative, broadcast against each other

    Returns
    -------
    array of float
        1 where nothing was observed.

    Notes
    -----
    Abramowitz and Stegun 26.4.21.
    """
    seen, due = np.broadcast_arrays(np.asarray(observed, float), np.asarray(expected, float))
    some = seen > SLACK
    p: Floats = np.ones(seen.shape)
    p[some] = gammainc(seen[some], due[some])
    return p


def rate_rise_p(recent: ArrayLike, before: ArrayLike, recent_share: ArrayLike) -> Floats:
    """Chance of at least `recent` of all incidents falling in the recent part of the time.

    Conditional on recent + before, under one constant rate the recent count is binomial with
    the recent part's share of the time. The earlier count is a count and not a known rate,
    and is treated so.

    Parameters
    ----------
    recent, before : array-like, non-negative
        Incidents in the two parts; fractions allowed.
    recent_share : array-like, between 0 and 1
        Length of the recent part over the length of both.

    Returns
    -------
    array of float
        1 where nothing happened recently.

    Notes
    -----
    Przyborowski and Wilenski (1940), Biometrika 31, 313-323; the binomial tail as an
    incomplete beta function (Abramowitz and Stegun 26.5.24).
    """
    now, then, share = np.broadcast_arrays(
        np.asarray(recent, float), np.asarray(before, float), np.asarray(recent_share, float)
    )
    some = now > SLACK
    p: Floats = np.ones(now.shape)
    p[some] = betainc(now[some], then[some] + 1.0, share[some])
    return p


def rate_fall_p(recent: ArrayLike, before: ArrayLike, recent_share: ArrayLike) -> Floats:
    """Chance of at most `recent` of all incidents falling in the recent part of the time."""
    return rate_rise_p(before, recent, 1.0 - np.asarray(recent_share, float))


def false_discovery_q(p: ArrayLike) -> Floats:
    """Adjust p values for the number of questions asked: flagging q <= a keeps false finds at a.

    Parameters
    ----------
    p : array-like, m values; NaN was not tested and counts for nothing

    Returns
    -------
    array of m floats, NaN where p is NaN

    Notes
    -----
    Benjamini and Hochberg (1995), J. R. Stat. Soc. B 57, 289-300; overlapping disks are
    positively dependent, for which the bound holds (Benjamini and Yekutieli 2001).
    """
    values = np.asarray(p, float)
    q: Floats = np.full(values.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(values))
    if not tested.size:
        return q
    order = tested[np.argsort(values[tested], kind="stable")]
    steps = values[order] * order.size / np.arange(1, order.size + 1)
    q[order] = np.minimum(np.minimum.accumulate(steps[::-1])[::-1], 1.0)
    return q


def false_discovery_cut(p: ArrayLike, tests: int, level: float) -> float:
    """Find the greatest p that passes the step-up rule; -1 where none does.

    The same decision as `false_discovery_q(p) <= level`, without sorting what cannot pass: for
    cubes of many million bins.

    Parameters
    ----------
    p : array-like
        At least all p values up to `level`.
    tests : int
        Tests in all.
    """
    values = np.asarray(p, float)
    low = np.sort(values[values <= level])
    passed = np.flatnonzero(low * tests / np.arange(1, low.size + 1) <= level)
    return float(low[passed[-1]]) if passed.size else -1.0


def empirical_bayes_rate(events: ArrayLike, people: ArrayLike) -> Floats:
    """Draw rates towards the rate of the whole, the more the fewer the people they rest on.

    Parameters
    ----------
    events, people : array-like, n places

    Returns
    -------
    array, n places
        Events per person; NaN where nobody lives or people are unknown.

    Notes
    -----
    Marshall (1991), Appl. Stat. 40, 283-294, global smoothing by moments.
    """
    seen, lived = np.asarray(events, float), np.asarray(people, float)
    rate: Floats = np.full(seen.shape, np.nan)
    known = lived > 0
    if not known.any():
        return rate
    seen, lived = seen[known], lived[known]
    whole = seen.sum() / lived.sum()
    raw = seen / lived
    spread = float((lived * (raw - whole) ** 2).sum() / lived.sum())
    between = max(spread - whole / lived.mean(), 0.0)
    noise = whole / lived
    trust = np.divide(between, between + noise, out=np.zeros(raw.size), where=between + noise > 0)
    rate[known] = trust * raw + (1 - trust) * whole
    return rate

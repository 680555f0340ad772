"""Non-negative weights of an additive Poisson rate, at the global optimum of its likelihood."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

__all__ = ["Fitted", "fit_weights"]

Floats = NDArray[np.float64]

WARM_UP = 12
"""Steps of expectation-maximisation before the first Newton step."""

MOST_STEPS = 200
TOLERANCE = 1e-9
"""Largest slack of the optimality conditions, in incidents, relative to all incidents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """Weights and how near the optimum they are."""

    weights: Floats
    slack: float
    """Largest violation of the optimality conditions, relative to the number of incidents."""

    steps: int


def fit_weights(rates: Floats, incidents: Floats, totals: Floats, prior: Floats) -> Fitted:
    """Fit `incidents ~ Poisson(rates @ weights)` with weights of 0 or more.

    Parameters
    ----------
    rates : array, m x k
        Of the rows with incidents only; the others enter by `totals`.
    incidents : array, m, above 0
    totals : array, k
        Sum of each rate over all rows, those without incidents included.
    prior : array, k
        Incidents that each term is taken to have explained beforehand (0: none); a term with a
        prior never falls to exactly 0.

    Returns
    -------
    Fitted
        A term whose total is 0 has weight 0.

    Notes
    -----
    Maximises sum y log(rates @ w) - totals @ w + prior @ log w, which is concave, so that a
    point at which the optimality conditions hold is the global optimum. A few steps of
    expectation-maximisation (Veen and Schoenberg 2008, JASA 103, 614-624), then Newton steps
    whose quadratic model is minimised over w >= 0 (Lawson and Hanson's NNLS) with a line search.
    """
    used = np.flatnonzero(totals > 0)
    weights = np.zeros(totals.size)
    if not used.size or not incidents.sum() > 0:
        weights[used] = np.divide(prior[used], totals[used])
        return Fitted(weights=weights, slack=0.0, steps=0)
    x = rates[:, used] / totals[used]
    ahead = prior[used]
    scaled = np.full(used.size, (incidents.sum() + ahead.sum()) / used.size)
    for _ in range(WARM_UP):
        scaled = _explained(x, incidents, scaled) + ahead
    scaled, slack, steps = _newton(x, incidents, ahead, scaled)
    weights[used] = scaled / totals[used]
    return Fitted(weights=weights, slack=slack, steps=steps)


def _explained(x: Floats, y: Floats, w: Floats) -> Floats:
    """Share the incidents out among the terms as the weights stand: one step of EM."""
    explained: Floats = w * (x.T @ (y / (x @ w)))
    return explained


def _newton(x: Floats, y: Floats, prior: Floats, w: Floats) -> tuple[Floats, float, int]:
    """Take Newton steps over w >= 0 until the optimality conditions hold."""
    whole = y.sum()
    slack = _slack(x, y, prior, w) / whole
    for step in range(MOST_STEPS):
        if slack <= TOLERANCE:
            return w, slack, step
        proposed = _newton_point(x, y, prior, w)
        moved = _searched(x, y, prior, w, proposed)
        if moved is None:  # rounding holds the search up: EM always climbs
            moved = _explained(x, y, w) + prior
        w = moved
        slack = _slack(x, y, prior, w) / whole
    return w, slack, MOST_STEPS


def _slope(x: Floats, y: Floats, prior: Floats, w: Floats) -> Floats:
    """Gradient of the negative log-likelihood."""
    gradient: Floats = 1.0 - x.T @ (y / (x @ w))
    np.subtract(gradient, np.divide(prior, w, out=np.zeros(w.size), where=prior > 0), out=gradient)
    return gradient


def _slack(x: Floats, y: Floats, prior: Floats, w: Floats) -> float:
    """Largest violation of: slope 0 where w > 0, slope >= 0 where w = 0; in incidents."""
    slope = _slope(x, y, prior, w)
    return float(
        np.max(np.where(w > 0, np.abs(slope * w), 0.0) + np.maximum(-slope, 0.0) * (w == 0))
    )


def _newton_point(x: Floats, y: Floats, prior: Floats, w: Floats) -> Floats:
    """Minimise the quadratic model over w >= 0."""
    scaled = x * (np.sqrt(y) / (x @ w))[:, None]
    curve = scaled.T @ scaled
    curve += np.diag(np.divide(prior, w**2, out=np.zeros(w.size), where=prior > 0))
    curve += np.eye(w.size) * (1e-10 * np.trace(curve) / w.size)
    root = np.linalg.cholesky(curve)
    aim = curve @ w - _slope(x, y, prior, w)
    point: Floats = nnls(root.T, np.linalg.solve(root, aim))[0]
    return point


def _searched(x: Floats, y: Floats, prior: Floats, w: Floats, to: Floats) -> Floats | None:
    """Shorten the step until the likelihood rises enough; None where it never does."""
    here = _loss(x, y, prior, w)
    fall = float(_slope(x, y, prior, w) @ (to - w))
    share = 1.0
    while fall < 0 and share > 1e-8:
        tried = w + share * (to - w) if share < 1 else to
        if _loss(x, y, prior, tried) <= here + 1e-4 * share * fall:
            return tried
        share /= 2
    return None


def _loss(x: Floats, y: Floats, prior: Floats, w: Floats) -> float:
    mean = x @ w
    if (mean <= 0).any() or (w[prior > 0] <= 0).any():
        return np.inf
    held = prior > 0
    return float(w.sum() - y @ np.log(mean) - prior[held] @ np.log(w[held]))

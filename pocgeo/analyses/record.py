"""What was on record on a given day: the past as it was known, not as it is known now."""

import pandas as pd

from pocgeo.ground.frames import require_columns

__all__ = ["known_by"]


def known_by(incidents: pd.DataFrame, as_of_on: pd.Timestamp) -> pd.DataFrame:
    """Keep the incidents that had occurred and been reported by the end of a day.

    Parameters
    ----------
    incidents : DataFrame
        `occurred_on`; `reported_on` where known: a missing one counts as reported on the day.
    as_of_on : Timestamp
        The day, inclusive.

    Returns
    -------
    DataFrame
        The rows kept, in their order. Rows without `occurred_on` are not kept.
    """
    require_columns(incidents, "incidents", ["occurred_on"])
    kept = incidents["occurred_on"] <= as_of_on
    if "reported_on" in incidents.columns:
        kept &= incidents["reported_on"].fillna(incidents["occurred_on"]) <= as_of_on
    return incidents[kept]

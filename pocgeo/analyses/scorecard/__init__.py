"""The forecast held against its own past. Stands on `forecast`, as coverage stands on reach."""

from pocgeo.analyses.scorecard.card import Scorecard, ScorecardStandard, scorecard

__all__ = ["Scorecard", "ScorecardStandard", "scorecard"]

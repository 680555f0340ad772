"""What to expect in the next months, and why: an additive self-exciting count of incidents."""

from pocgeo.analyses.forecast.outlook import Forecast, forecast
from pocgeo.analyses.forecast.standard import ForecastStandard

__all__ = ["Forecast", "ForecastStandard", "forecast"]

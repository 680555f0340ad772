"""What is asked of patrols, and all that a plan of them is worked out from."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.analyses.bases import standing
from pocgeo.analyses.patrols.order import PatrolOrder, Shift
from pocgeo.analyses.patrols.plan import Start
from pocgeo.analyses.patrols.stops import cell_worth
from pocgeo.analyses.patrols.travel import Travel, patrol_travel
from pocgeo.analyses.reach.air import AIR
from pocgeo.analyses.reach.graph import TravelGraph
from pocgeo.analyses.reach.over_ground import Ground, crossing_of, graph_of
from pocgeo.aoi.indexed import Indexed
from pocgeo.aoi.patrols.record import read_plan
from pocgeo.aoi.picture import Moment, picture
from pocgeo.aoi.standards import as_of_day, moment
from pocgeo.aoi.travel import AS_IT_IS, Change, ground_of, refuse_straight
from pocgeo.cells.speeds import season_on
from pocgeo.ground.errors import BadInput, UnknownName
from pocgeo.ground.geodesy import centre_of

__all__ = ["PatrolsAsked", "Setting", "known", "setting"]

HOUSE_ORDER = PatrolOrder()


@dataclass(frozen=True, slots=True, kw_only=True)
class PatrolsAsked:
    """From which base, on which day, by whom, and what is known of yesterday."""

    base_id: str
    order: PatrolOrder = HOUSE_ORDER
    on: date | None = None
    """Day of the patrols; the day after the last one known if left out."""

    season: str | None = None
    """State of the ground; by the month of the day if left out."""

    mobility: str | None = None
    """By what means; as the base says if left out."""

    beyond: bool = False
    """Whether stops may lie in other AORs and nearer to other bases."""

    change: Change = field(default=AS_IT_IS)
    """Roads that are closed beside those the layer says."""

    previous: Path | None = None
    """A plan (csv) whose pattern is not to be repeated."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """All that a plan is worked out from."""

    asked: PatrolsAsked
    at: Moment
    on: pd.Timestamp
    base: Any
    mobility: str
    start: Start
    shift: Shift
    range_m: float
    ground: Ground
    graph: TravelGraph
    crossing: NDArray[np.float64] | None
    cells: pd.DataFrame
    """The picture, with `stop_value` of each cell."""

    previous: pd.DataFrame | None

    def travel(self, places: NDArray[np.float64], worn: Any = None) -> Travel:
        """Minutes between the base and some places."""
        spots = np.vstack([[self.start.lon, self.start.lat], places.reshape(-1, 2)])
        return patrol_travel(
            self.ground.lattice, self.graph, spots, self.shift.limit_min,
            crossing_min=self.crossing, range_m=self.range_m, worn=worn,
        )  # fmt: skip


def setting(index: Indexed, as_of: date | None, asked: PatrolsAsked) -> Setting:
    """Find base, day, season, ground and shift; refuse what cannot be."""
    refuse_straight(index, "a patrol plan")
    day = as_of_day(index.file, as_of)
    on = pd.Timestamp(asked.on or day + timedelta(days=1))
    season = asked.season or str(season_on(np.array([on]), index.terrain_rules)[0])
    at = moment(index, as_of, season)
    base = base_of(index, asked.base_id, on)
    means = asked.mobility or known(base, "mobility") or at.reach.assumed_mobility
    means = at.reach.assumed_mobility if means == "unknown" else means
    if means == AIR:
        raise BadInput(
            f"{asked.base_id} moves by air; patrols are planned over the ground. "
            "Say by what means: --mobility wheeled."
        )
    says = known(base, "night_moves")
    shift = asked.order.shift(None if says is None else bool(says))
    ground = ground_of(index, on, asked.change)
    crossing = crossing_of(ground, means, season)
    lon, lat = centre_of(base["geometry"])
    range_km = known(base, "max_range_km")
    cells = picture(index, at)
    return Setting(
        asked=asked, at=at, on=on, base=base, mobility=means, shift=shift, ground=ground,
        start=Start(asked.base_id, str(known(base, "name") or asked.base_id), lon, lat),
        range_m=np.inf if range_km is None else float(range_km) * 1000, crossing=crossing,
        graph=graph_of(ground, means, season, on, crossing),
        cells=cells.assign(stop_value=cell_worth(cells, asked.order.rule)),
        previous=None if asked.previous is None else read_plan(asked.previous),
    )  # fmt: skip


def base_of(index: Indexed, base_id: str, on: pd.Timestamp) -> Any:
    """Find a base that stands on the day."""
    bases = index.known("bases")
    if base_id not in set(bases["base_id"]):
        raise UnknownName("base", base_id, bases["base_id"].astype(str))
    stood = standing(bases[bases["base_id"] == base_id], on)
    if stood.empty:
        raise BadInput(f"Base {base_id} does not stand on {on:%d %b %Y}. Choose another day.")
    return stood.iloc[0]


def known(row: Any, name: str) -> Any:
    """Take a fact of a row; None where it is unknown."""
    return row[name] if name in row and not pd.isna(row[name]) else None

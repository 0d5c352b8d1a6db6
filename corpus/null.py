"""What unrelated code reaches: the tails that turn bits or a strength into `chance`.

The best local agreement of unrelated texts has an exponential upper tail, and the expected number of such
agreements grows in proportion to what is searched: the statistics of sequence databases (Karlin and Altschul
1990, E-values). Scale and rate depend on the scoring and on the texts, so they are measured: the tail is
fitted to the exceedances over a high level (Pickands 1975: peaks over a threshold; the exponential is its
case of shape 0) of functions that are known to be unrelated to nearly all of the index (corpus.calibration).

*Nearly*: a few in a hundred share their ancestry with what they resemble. They are no part of the null and
stand far above it, so the exceedances are fitted as a mixture of two exponentials, the second `BROAD` times
as wide; the null is the narrow one (expectation–maximisation, Dempster, Laird and Rubin 1977).
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from corpus.errors import BadCalibration

FORMAT = 5
"""Raised by hand whenever bits or strength change their meaning: older measurements say nothing then."""

COPIES_TAIL, DERIVED_TAIL = 0.1, 0.02
LEAST_EXCEEDANCES = 40
"""The level is what such a part of the functions reach, lower where these would be fewer than so many: high
enough for the tail, and low enough that what shares its ancestry is a small part of the exceedances. Copies
have more of that. The strengths of derived code fall faster than an exponential from a tenth on: of 2,736
functions one in a thousand reaches 2.8, where 4.7 is foretold from the level of a tenth and 3.2 from that of
a fiftieth."""

LEAST_UNITS = 100_000
"""A small index is taken for one of so many code units unless the tail was measured on a smaller one: what is
rare and what is an idiom is known less well there."""

BROAD = 10.0
"""Scale of what shared ancestry reaches, in scales of what chance does: about 14 for copies and 10 for the
algorithm layer among 1,800 and 900 functions of permissive packages."""

STEPS = 200


@dataclass(frozen=True, slots=True)
class Tail:
    """P(best match of one function with unrelated code ≥ x) = rate · exp(−(x − level) / scale), at most 1.

    It is fitted above the level. Below, the same line goes on: there it only orders. functions: how many were
    measured; shared: part of the exceedances taken for shared ancestry; units: code units they were compared
    with.
    """

    level: float
    scale: float
    rate: float
    functions: int
    shared: float
    units: int

    def chance(self, value: float, units: int) -> float:
        """Expected number of unrelated code units, of so many, that agree as well: falls with the value."""
        share = min(1.0, self.rate * math.exp(min(700.0, (self.level - value) / self.scale)))
        return share * max(units, min(LEAST_UNITS, self.units)) / self.units

    def reached(self, chance: float) -> float:
        """The value at which the chance is so low in an index of the size that was measured."""
        return self.level - self.scale * math.log(chance / self.rate)


@dataclass(frozen=True, slots=True)
class Null:
    """The tails of both families of layers, each by its own statistic.

    copies: bits, of all code units of the index. derived: strength, of those that may be its origins: not
    background.
    """

    copies: Tail
    derived: Tail

    def encode(self) -> str:
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1) + "\n"


BUILT_IN = Null(
    copies=Tail(23.74, 9.07, 0.093, 2662, 0.073, 2_160_029),
    derived=Tail(0.022, 1.049, 0.0201, 2736, 0.0, 1_025_045),
)
"""For a snapshot on which nothing was measured: functions of the 125 background releases of the manifests
against these and science.toml, those of the algorithm layer without the pairs of packages that a person found
related (docs/quality.md, Chance)."""


def origin_units(facts: dict[str, Any]) -> int:
    """Code units of a snapshot, by its facts, that may be origins of the algorithm layer."""
    rows = facts["segments"]
    ends = [*(row["first_unit"] for row in rows[1:]), facts["units"]]
    return sum(e - r["first_unit"] for r, e in zip(rows, ends, strict=True) if not r["background"])


def fit(values: Sequence[float], units: int, part: float) -> Tail | None:
    """The tail of the best match of each function; −∞ where it has none. None: too few have any.

    units: code units that each function was compared with. part: of the functions, where the tail begins.
    """
    ordered = np.sort(np.asarray(values, float))[::-1]
    reach = max(LEAST_EXCEEDANCES, math.ceil(part * len(ordered)))
    if len(ordered) <= reach or not np.isfinite(ordered[reach]):
        return None
    level = float(ordered[reach])
    excess = ordered[:reach] - level
    scale, shared = float(np.median(excess)) / math.log(2), 1 / reach
    if scale <= 0:
        return None
    for _ in range(STEPS):
        # Odds of shared ancestry for each exceedance, then both parameters in closed form.
        odds = shared / (1 - shared) / BROAD * np.exp(np.minimum(500, excess / scale * (1 - 1 / BROAD)))
        broad = odds / (1 + odds)
        shared = min(0.9, float(broad.mean()))
        scale = float((excess * (1 - broad + broad / BROAD)).mean())
    return Tail(level, scale, reach / len(ordered) * (1 - shared), len(ordered), shared, units)


def decode(text: str, where: object) -> Null:
    """Read what `Null.encode` wrote. where: its file, for the error. Raises BadCalibration."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadCalibration(where, f"it is not JSON: {error}") from None
    if not isinstance(document, dict) or document.keys() != {"format", "copies", "derived"}:
        raise BadCalibration(where, "it must be an object with format, copies and derived")
    if document["format"] != FORMAT:
        raise BadCalibration(where, f"it has format {document['format']!r}, this version uses {FORMAT}")
    return Null(_tail(document, "copies", where), _tail(document, "derived", where))


def _tail(document: dict[str, Any], name: str, where: object) -> Tail:
    row = document[name]
    wanted = {field.name for field in fields(Tail)}
    if not isinstance(row, dict) or row.keys() != wanted:
        raise BadCalibration(where, f"{name} must be an object with {', '.join(sorted(wanted))}")
    for key, value in row.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e300:
            raise BadCalibration(where, f"{name}.{key} is no number")
    for key in ("scale", "rate", "units", "functions"):
        if row[key] <= 0:
            raise BadCalibration(where, f"{name}.{key} is not above 0")
    if row["rate"] > 1:
        raise BadCalibration(where, f"{name}.rate is above 1")
    return Tail(**{**row, "functions": int(row["functions"]), "units": int(row["units"])})


def read(path: Path) -> Null | None:
    """The null in a file, or None when there is no such file. Raises BadCalibration."""
    try:
        return decode(path.read_bytes().decode("utf-8", "replace"), path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BadCalibration(path, error.strerror or "unreadable") from None

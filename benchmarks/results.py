"""What was played, as tables: medians, ratios, how sure they are, and whether this package is within its limits.

Times of one round belong together, for the contestants play it in turns; a ratio is the median of the ratios within
each round. What stands behind ± is half the width of the interval in which a median lies nineteen times out of twenty,
were the rounds played again: 1.57 times the distance of the quartiles, divided by the root of the number of rounds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import sqrt
from operator import truediv
from statistics import median, quantiles

from rows import ALL, Limit, Measure

DASH = "–"
IN_NOISE = "It is so near to the limit that other rounds may be within it, as ± says."


@dataclass
class Played:
    """All rounds of one Python and one aiohttp."""

    times: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    """By the name of a measure and that of a contestant: the seconds, or bytes, of all rounds."""
    failures: dict[tuple[str, str], str] = field(default_factory=dict)
    """Why a contestant did not play a measure, likewise."""


class Notes:
    """What stands below a table, numbered from 1; a text that is there already keeps its number."""

    def __init__(self) -> None:
        self._texts: list[str] = []

    def __call__(self, text: str) -> str:
        if text not in self._texts:
            self._texts.append(text)
        return f"({self._texts.index(text) + 1})"

    def __str__(self) -> str:
        return "\n".join(f"({number}) {text}" for number, text in enumerate(self._texts, 1))


def rows_of(played: Played, measures: list[Measure]) -> tuple[list[list[str]], Notes, list[str]]:
    """Return the rows of a table, the notes below, and what is to be mended or explained."""
    rows = [["measure", *ALL, "limit for this package", "it is", "met"]]
    notes = Notes()
    to_mend: list[str] = []
    for measure in measures:
        cells = [cell(measure, contestant, played, notes) for contestant in ALL]
        name = measure.name
        if (name, "this package") in played.failures:
            to_mend.append(f"{name}: {played.failures[name, 'this package']}")
        for limit in measure.limits:
            judgement = judged(measure, limit, played, notes)
            if judgement[2] == "NO":
                to_mend.append(f"{measure.name}: {judgement[0]}, it is {judgement[1]}")
            rows.append([name, *cells, *judgement])
            # A row for each limit; the times stand in the first.
            name, cells = "\\", [""] * len(cells)
        if not measure.limits:
            rows.append([name, *cells, "", "", ""])
    return rows, notes, to_mend


def cell(measure: Measure, contestant: str, played: Played, notes: Notes) -> str:
    """Return what a contestant takes, and how many times the floor that is; or a dash, with a note that says why."""
    if contestant not in measure.contestants:
        return f"{DASH} {notes(measure.others)}"
    key = measure.name, contestant
    if key in played.failures:
        return f"{DASH} {notes(failure(key, played))}"
    own, floor = played.times[key], played.times.get((measure.name, "floor"))
    return shown(median(own), measure) + (f" ({ratio(own, floor):.2f})" if floor is not None else "")


def judged(measure: Measure, limit: Limit, played: Played, notes: Notes) -> list[str]:
    """Return a limit, where this package stands, and whether that is within it; if not, with a note that says why."""
    if limit.of is None:
        asked = f"at most {shown(limit.most, measure)}"
        other_key = None
    else:
        asked = f"at most {limit.most:g} x {limit.of}{f' + {shown(limit.more, measure)}' if limit.more else ''}"
        other_key = (measure.name, limit.of) if limit.of in measure.contestants else (limit.of, "this package")
    key = measure.name, "this package"
    for one in (key, other_key):
        if one in played.failures:
            return [asked, "", f"{DASH} {notes(failure(one, played))}"]
    values = [one - limit.more for one in played.times[key]]
    if other_key:
        values = list(map(truediv, values, played.times[other_key]))
    found = median(values)
    figure = f"{found:.3f} x" if other_key else shown(found, measure)
    unsure = noise(values)
    if found <= limit.most:
        met = "yes"
    elif limit.why:
        met = f"NO {notes(limit.why)}"
    else:
        met = f"NO {notes(IN_NOISE)}" if found * (1 - unsure) <= limit.most else "NO"
    return [asked, f"{figure} ± {unsure:.1%}", met]


def failure(key: tuple[str, str], played: Played) -> str:
    """Return that a contestant does not play a measure, and why."""
    return f"{key[1]} does not run here: ``{played.failures[key]}``"


def ratio(times: list[float], others: list[float]) -> float:
    return median(map(truediv, times, others))


def noise(values: list[float]) -> float:
    """Return how far from the median of some rounds that of others may lie, as a part of the median."""
    middle = abs(median(values))
    if len(values) < 2 or not middle:
        return 0.0
    lower, _, upper = quantiles(values, n=4, method="inclusive")
    return 1.57 * (upper - lower) / sqrt(len(values)) / middle


def shown(value: float, measure: Measure) -> str:
    if measure.in_bytes:
        return f"{value:,.0f} B"
    return shown_seconds(value)


def shown_seconds(seconds: float) -> str:
    if abs(seconds) < 1e-3:
        return f"{seconds * 1e6:.1f} us"
    return f"{seconds * 1e3:.2f} ms" if abs(seconds) < 1 else f"{seconds:.2f} s"


def table(rows: list[list[str]]) -> str:
    """Return a table in reStructuredText; the first row is its head."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    rule = "  ".join("=" * width for width in widths)
    head, *others = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return "\n".join([rule, head, rule, *others, rule, ""])

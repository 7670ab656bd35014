"""The picture of the results that the README and the site show: bars of what a few measures take with each tool.

The text stays text, and is in a colour of its own in the dark; the same numbers give the same file.
"""

from __future__ import annotations

import re
from pathlib import Path
from statistics import median

import matplotlib
from matplotlib.figure import Figure
from results import Played

# What is shown, by the name of the measure.
TITLES = {
    "GET with a JSON reply": "One GET with a JSON reply",
    "1,000 of them at once": "1,000 of them at once",
    "an empty test, more than a plain one": "What an empty test takes more than a plain one",
    "a suite of 100 tests, the whole run": "A suite of 100 tests, from start to end",
}
TOOLS = {
    "this package": "this package",
    "aioresponses 0.7.9": "aioresponses 0.7.9",
    "aiointercept": "aiointercept",
    "loopback": "TestServer",
}

PAPER, INK, OURS, OTHERS = "#fefefe", "#1f2328", "#0b7285", "#8c959f"
# By the colours of the light. The paper changes as well, for the page around it may be light in the dark.
DARK = {PAPER: "#161b22", INK: "#e6edf3", OURS: "#3bc9db", OTHERS: "#8b949e"}
BESIDE = {"textcoords": "offset points", "va": "center_baseline"}
FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"


def bars(played: Played) -> dict[str, dict[str, float]]:
    """Return what each tool takes, in seconds, by its name and that of a measure; what did not run is left out."""
    return {
        title: {
            label: median(played.times[name, contestant])
            for contestant, label in TOOLS.items() if (name, contestant) in played.times
        }
        for name, title in TITLES.items()
    }


def rounded(seconds: float) -> str:
    """Return a time with three digits, or fewer."""
    factor, unit = (1e6, "µs") if seconds < 1e-3 else (1e3, "ms") if seconds < 1 else (1, "s")
    return f"{seconds * factor:.3g} {unit}"


def draw(played: Played, versions: str, path: Path) -> None:
    """Write the picture."""
    settings = {
        "svg.fonttype": "none", "svg.hashsalt": "aioresponses", "font.size": 10.5, "text.color": INK,
        # A phone shows less than five inches; so wide, the text need not become smaller.
        "figure.figsize": (4.6, 6.2),
    }
    with matplotlib.rc_context(settings):
        figure = Figure(facecolor=PAPER)
        panels = figure.subplots(len(TITLES), 1)
        figure.subplots_adjust(left=0.37, right=0.83, top=0.94, bottom=0.06, hspace=0.4)
        for axes, (title, taken) in zip(panels, bars(played).items()):
            figure.text(0.03, axes.get_position().y1 + 0.012, title, fontweight="bold")
            axes.axis("off")
            axes.set_xlim(0, max(taken.values(), default=1))
            axes.invert_yaxis()
            for place, (tool, seconds) in enumerate(taken.items()):
                axes.barh(place, seconds, height=0.72, color=OURS if tool == "this package" else OTHERS)
                axes.annotate(tool, (0, place), (-6, 0), ha="right", **BESIDE)
                axes.annotate(rounded(seconds), (seconds, place), (5, 0), ha="left", **BESIDE)
        figure.text(0.03, 0.015, f"Shorter is better. {versions}", fontsize=9)
        path.parent.mkdir(exist_ok=True)
        figure.savefig(path, metadata={"Date": None})
    path.write_text(adapted(path.read_text(encoding="utf-8")), encoding="utf-8")


def adapted(svg: str) -> str:
    """Return a picture of matplotlib's with colours for the dark, and in the fonts of whoever looks at it."""
    rules = "".join(f'[style*="{light}"] {{ fill: {dark} !important }} ' for light, dark in DARK.items())
    style = f"<style>@media (prefers-color-scheme: dark) {{ {rules}}}</style>"
    svg = re.sub("font-family: [^;\"]*", f"font-family: {FONTS}", svg)
    return re.sub(r"(<svg [^>]*>)", lambda found: f"{found[1]}\n {style}", svg, count=1)

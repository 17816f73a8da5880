"""Pictures of a page as static SVG: the distribution of answer times, and the graph of states.

Drawn by Matplotlib: the plotting library of Python that is kept best, and its SVG needs no script and no font beside it.
It is an extra (`ocppfuzz[report]`), since it is heavy; every page tells in tables what its pictures show. Knows plain
numbers. Must not know HTML.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

BINS = 30
_COLUMN, _ROW = 2.4, 1.5
_RC = {"svg.fonttype": "none", "svg.hashsalt": "ocppfuzz", "font.family": "sans-serif"}


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one picture, by what they are for."""

    ink: str
    faint: str
    reached: str
    reached_ink: str
    missed: str
    limit: str


LIGHT = Palette("#1f2328", "#8b949e", "#1f5fa8", "#ffffff", "#eef1f4", "#b3261e")
DARK = Palette("#e6edf3", "#7d8590", "#7fb2f0", "#0d1117", "#21262d", "#ff8f85")


def can_draw() -> bool:
    """Whether the plotting library is there."""
    return find_spec("matplotlib") is not None


def distribution(seconds: Sequence[float], limit_s: float, palette: Palette) -> bytes:
    """How many answers took how long, on a logarithmic scale, with the limit as a line. `seconds` is sorted, not empty."""
    from matplotlib.ticker import MaxNLocator

    figure, axes = _canvas(7.2, 2.6)
    low = max(seconds[0], 1e-5)
    high = max(seconds[-1], low * 10, limit_s)
    first, last = math.log10(low * 0.8), math.log10(high * 1.3)
    edges = [10 ** (first + (last - first) * n / BINS) for n in range(BINS + 1)]
    axes.hist([max(s, low) for s in seconds], bins=edges, color=palette.reached)
    axes.axvline(limit_s, color=palette.limit, linewidth=1.6, linestyle="--")
    axes.text(
        limit_s * 0.9,
        axes.get_ylim()[1],
        f"limit {limit_s:g} s",
        color=palette.limit,
        ha="right",
        va="top",
    )
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda s, _: f"{s:g} s" if s >= 1 else f"{s * 1_000:g} ms")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("time until the answer", color=palette.ink)
    axes.set_ylabel("answers", color=palette.ink)
    axes.tick_params(colors=palette.ink, which="both")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("bottom", "left"):
        axes.spines[side].set_color(palette.faint)
    return _svg(figure)


def graph(
    states: Mapping[str, bool], changes: Mapping[tuple[str, str], bool], palette: Palette
) -> bytes:
    """States as boxes, one row for each way of being registered, and the changes between them as arrows."""
    rows = list(dict.fromkeys(name.partition("/")[0] for name in states))
    columns = list(dict.fromkeys(_use(name) for name in sorted(states, key=_rank)))
    at = {
        name: (columns.index(_use(name)) * _COLUMN, -rows.index(name.partition("/")[0]) * _ROW)
        for name in states
    }
    figure, axes = _canvas(2.0 * max(2, len(columns)) + 0.8, 1.05 * max(2, len(rows)) + 0.4)
    axes.set_axis_off()
    axes.set_xlim(-1.2, (len(columns) - 1) * _COLUMN + 1.2)
    axes.set_ylim(-(len(rows) - 1) * _ROW - 0.7, 0.7)
    boxes = {
        name: _box(axes, at[name], name.replace("/", "\n", 1), palette, reached=reached)
        for name, reached in states.items()
    }
    # Where a box ends is known only when it was drawn once, and arrows begin and end there.
    figure.draw_without_rendering()
    for (before, after), reached in sorted(changes.items(), key=lambda pair: pair[1]):
        if before in at and after in at and before != after:
            _arrow(axes, boxes[before], boxes[after], palette, reached=reached)
    return _svg(figure)


_USES = ("idle", "plugged", "authorised", "charging")


def _use(name: str) -> str:
    return name.partition("/")[2]


def _rank(name: str) -> tuple[int, str]:
    use = _use(name)
    return (_USES.index(use) if use in _USES else len(_USES), use)


def _arrow(axes: Axes, start: Text, end: Text, palette: Palette, *, reached: bool) -> None:
    (x, y), (to_x, to_y) = start.get_position(), end.get_position()
    far = x == to_x and abs(y - to_y) > _ROW
    axes.annotate(
        "",
        xy=(to_x, to_y),
        xytext=(x, y),
        arrowprops={
            "arrowstyle": "-|>",
            "color": palette.reached if reached else palette.faint,
            "linewidth": 1.8 if reached else 0.7,
            "linestyle": "-" if reached else ":",
            "connectionstyle": f"arc3,rad={0.3 if far else 0.16}",
            "patchA": start.get_bbox_patch(),
            "patchB": end.get_bbox_patch(),
            "shrinkA": 2,
            "shrinkB": 2,
        },
        zorder=1,
    )


def _box(
    axes: Axes, at: tuple[float, float], name: str, palette: Palette, *, reached: bool
) -> Text:
    return axes.text(
        *at,
        name,
        ha="center",
        va="center",
        fontsize=9,
        color=palette.reached_ink if reached else palette.ink,
        # What a target can choose is never read as mathematics.
        parse_math=False,
        zorder=3,
        bbox={
            "boxstyle": "round,pad=0.45",
            "facecolor": palette.reached if reached else palette.missed,
            "edgecolor": palette.reached if reached else palette.faint,
            "linestyle": "-" if reached else "--",
        },
    )


def _canvas(width: float, height: float) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    figure.patch.set_alpha(0.0)
    axes = figure.add_subplot()
    axes.patch.set_alpha(0.0)
    return figure, axes


def _svg(figure: Figure) -> bytes:
    """The picture, the same bytes for the same numbers."""
    from matplotlib import rc_context

    written = io.BytesIO()
    with rc_context(_RC):  # type: ignore[arg-type]
        figure.savefig(written, format="svg", metadata={"Date": None})
    return written.getvalue()

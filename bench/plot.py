"""The ratios of all recorded runs over time, as an SVG: one panel for each goal that is a ratio.

Runs are spaced evenly, because they come in groups. Run it with: make bench-plot
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from bench.report.history import PAGE, Run, read_runs

IMAGE = PAGE.parent / "images" / "performance.svg"

_WIDTH, _LEFT, _RIGHT = 900, 60, 70
_PANEL, _GAP, _TOP, _BOTTOM = 110, 46, 34, 76
_LINE, _BOUND, _GRID, _TEXT = "#1f6feb", "#cf222e", "#d0d7de", "#24292f"

Points = list[tuple[int, float]]
"""Ratios with the column of their run."""


def main() -> None:
    """Draw the image."""
    print(f"written to {write()}")


def write() -> Path:
    """Draw the ratios of the history; return the path of the file."""
    IMAGE.parent.mkdir(exist_ok=True)
    IMAGE.write_text(draw(read_runs()), "utf-8")
    return IMAGE


def draw(runs: Iterable[Run]) -> str:
    """The image."""
    shown = [run for run in runs if any(goal["unit"] == "x" for goal in run["goals"])]
    found = ratios(shown)
    height = _TOP + len(found) * (_PANEL + _GAP) + _BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'font-family="sans-serif" font-size="12" fill="{_TEXT}">',
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
    ]
    for number, (title, (bound, points)) in enumerate(found.items()):
        top = _TOP + number * (_PANEL + _GAP)
        parts += _panel(title, bound, points, top, len(shown))
    parts += _dates(shown, height - _BOTTOM - _GAP + 8)
    return "\n".join([*parts, "</svg>", ""])


def ratios(runs: Sequence[Run]) -> dict[str, tuple[float, Points]]:
    """By goal: its latest bound, and the values of all runs."""
    found: dict[str, tuple[float, Points]] = {}
    for column, run in enumerate(runs):
        for goal in run["goals"]:
            if goal["unit"] == "x":
                _, points = found.get(goal["goal"], (0.0, []))
                found[goal["goal"]] = goal["bound"], [*points, (column, goal["reached"])]
    return found


def _panel(title: str, bound: float, points: Points, top: int, columns: int) -> list[str]:
    highest = 1.1 * max(bound, *(value for _, value in points))

    def y(value: float) -> float:
        return round(top + _PANEL * (1 - value / highest), 1)

    places = [(_x(column, columns), y(value)) for column, value in points]
    right = _WIDTH - _RIGHT
    return [
        f'<text x="{_LEFT}" y="{top - 8}" font-weight="bold">{escape(title)}</text>',
        f'<path d="M{_LEFT} {top}V{top + _PANEL}H{right}" fill="none" stroke="{_GRID}"/>',
        f'<path d="M{_LEFT} {y(bound)}H{right}" stroke="{_BOUND}" stroke-dasharray="4 4"/>',
        _label(_LEFT - 6, y(bound) + 4, f"{bound:g} x", "end", _BOUND),
        f'<polyline points="{" ".join(f"{a},{b}" for a, b in places)}" fill="none" '
        f'stroke="{_LINE}" stroke-width="2"/>',
        *(f'<circle cx="{a}" cy="{b}" r="3" fill="{_LINE}"/>' for a, b in places),
        _label(places[-1][0] + 8, places[-1][1] + 4, f"{points[-1][1]:.2f} x", "start", _LINE),
    ]


def _dates(runs: Sequence[Run], top: int) -> list[str]:
    """The time of each run, below the panels."""
    return [
        f'<text transform="translate({_x(column, len(runs))} {top}) rotate(-45)" '
        f'text-anchor="end" font-size="10">{escape(run["date"][5:16].replace("T", " "))}</text>'
        for column, run in enumerate(runs)
    ]


def _label(x: float, y: float, text: str, anchor: str, colour: str) -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'


def _x(column: int, columns: int) -> float:
    step = (_WIDTH - _RIGHT - _LEFT - 20) / max(columns - 1, 1)
    return round(_LEFT + 10 + column * step, 1)


if __name__ == "__main__":
    main()

"""From the lines that `bench.scaling grow` prints to the table and the plot of docs/scaling.md.

python -m bench.growth LINES [SVG]
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path

Row = dict[str, float]

COLUMNS = (
    ("units", "units", "{:,.0f}"),
    ("build_processor", "built, s of processor", "{:,.0f}"),
    ("build_memory", "most memory, MB", "{:,.0f}"),
    ("bytes", "bytes a unit", "{:.0f}"),
    ("opening", "opened, ms", "{:.1f}"),
    ("warm", "lookups of a change, ms", "{:.1f}"),
    ("warm95", "95 %", "{:.1f}"),
    ("cold", "cold", "{:.0f}"),
    ("memory", "memory of lookups, MB", "{:.1f}"),
)
PANELS = (
    ("lookups of a 300-line change, ms", (("warm", "warm"), ("cold", "cold"))),
    ("building, seconds of processor", (("build_processor", ""),)),
    ("memory of the build, MB", (("build_memory", ""),)),
    ("bytes a unit", (("bytes", ""),)),
)
WIDTH, HEIGHT, LEFT, TOP = 330, 210, 52, 34


def table(rows: Sequence[Row]) -> str:
    """A Markdown table, a line for each size."""
    lines = ["| " + " | ".join(title for _, title, _ in COLUMNS) + " |", "|---" * len(COLUMNS) + "|"]
    lines += ["| " + " | ".join(form.format(row[name]) for name, _, form in COLUMNS) + " |" for row in rows]
    return "\n".join(lines)


def _line(name: str, rows: Sequence[Row], low: float, high: float, dashed: bool) -> str:
    first, last = math.log10(rows[0]["units"]), math.log10(rows[-1]["units"])
    points = []
    for row in rows:
        x = LEFT + (WIDTH - LEFT - 20) * (math.log10(row["units"]) - first) / max(last - first, 1e-9)
        y = HEIGHT - 30 - (HEIGHT - 30 - TOP) * (math.log10(row[name]) - low) / (high - low)
        points.append((x, y))
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>' for x, y in points)
    dashes = ' stroke-dasharray="4 3"' if dashed else ""
    return f'<polyline points="{path}" fill="none" stroke="#246"{dashes}/>{dots}'


def _panel(title: str, series: Sequence[tuple[str, str]], rows: Sequence[Row]) -> str:
    values = [row[name] for name, _ in series for row in rows]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)) + 1e-9)
    parts = [f'<text x="{LEFT}" y="18" font-weight="bold">{title}</text>']
    for power in range(low, high + 1):
        y = HEIGHT - 30 - (HEIGHT - 30 - TOP) * (power - low) / (high - low)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - 20}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ccc"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{10.0**power:,.10g}</text>')
    for number, (name, label) in enumerate(series):
        parts.append(_line(name, rows, low, high, number > 0))
        if label:
            dash = " - -" if number else " —"
            parts.append(f'<text x="{WIDTH - 90}" y="{TOP + 14 * number}">{label}{dash}</text>')
    for row, anchor in ((rows[0], "start"), (rows[-1], "end")):
        x = LEFT if anchor == "start" else WIDTH - 20
        text = f"{row['units']:,.0f} units"
        parts.append(f'<text x="{x}" y="{HEIGHT - 10}" text-anchor="{anchor}">{text}</text>')
    return "".join(parts)


def plot(rows: Sequence[Row]) -> str:
    """An SVG of four panels, both axes logarithmic."""
    panels = "".join(
        f'<g transform="translate({WIDTH * (number % 2)},{HEIGHT * (number // 2)})">'
        f"{_panel(title, series, rows)}</g>"
        for number, (title, series) in enumerate(PANELS)
    )
    size = f'width="{2 * WIDTH}" height="{2 * HEIGHT}" viewBox="0 0 {2 * WIDTH} {2 * HEIGHT}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="11" fill="#222">'
        f'<rect width="100%" height="100%" fill="white"/>{panels}</svg>\n'
    )


def main() -> None:
    rows = [json.loads(line) for line in Path(sys.argv[1]).read_text().splitlines() if line.startswith("{")]
    rows.sort(key=lambda row: row["units"])
    print(table(rows))
    if len(sys.argv) > 2:
        Path(sys.argv[2]).write_text(plot(rows))


if __name__ == "__main__":
    main()

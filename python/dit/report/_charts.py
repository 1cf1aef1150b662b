# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Charts as SVG. Every mark says what it is in a title, for pointers and readers."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Sequence

#: What tells lines and modes apart.
COLORS = ("#2f6db5", "#d1603d", "#4c956c", "#8e5ea2", "#b08900", "#3a3a3a")
_LEFT, _TOP, _BOTTOM, _RIGHT = 190, 8, 34, 12
_WIDTH = 960


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{html.escape(text)}</text>'


def _svg(title: str, height: float, parts: Sequence[str]) -> str:
    return (f'<div class="chart"><svg role="img" aria-label="{html.escape(title)}" '
            f'viewBox="0 0 {_WIDTH} {height:.0f}">{"".join(parts)}</svg></div>')


def _step_axis(steps: int, y: float, x_of: Callable[[float], float]) -> list[str]:
    every = max(1, math.ceil(steps / 15))
    marks = [_text(x_of(step + 0.5), y + 14, str(step), "middle")
             for step in range(0, steps, every)]
    return [*marks, _text(x_of(steps / 2), y + 29, "step", "middle")]


def _column(steps: int) -> Callable[[float], float]:
    return lambda step: _LEFT + step * (_WIDTH - _LEFT - _RIGHT) / steps


def heat_map(title: str, rows: Sequence[str], steps: int, stripes: Sequence[int],
             fill: Callable[[int, int, int], str], label: Callable[[int, int, int], str],
             height: int = 22) -> str:
    """A row for each name with a stripe for each of its heads, a column for each
    step. `fill` and `label` get row, step and head."""
    x_of = _column(steps)
    width = x_of(1) - x_of(0)
    gap = 1 if width > 6 else 0
    parts, y = [], float(_TOP)
    for row, name in enumerate(rows):
        parts.append(_text(_LEFT - 8, y + height / 2 + 4, name, "end"))
        stripe = (height - 3) / stripes[row]
        for step in range(steps):
            for head in range(stripes[row]):
                parts.append(
                    f'<rect x="{x_of(step):.1f}" y="{y + head * stripe:.2f}" '
                    f'width="{width - gap:.2f}" height="{stripe:.2f}" '
                    f'fill="{fill(row, step, head)}"><title>'
                    f'{html.escape(label(row, step, head))}</title></rect>')
        y += height
    parts += _step_axis(steps, y, x_of)
    return _svg(title, y + _BOTTOM, parts)


def _ticks(low: float, high: float, log: bool) -> list[float]:
    if log:
        first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
        every = max(1, (last - first) // 5)
        return [10.0 ** power for power in range(first, last + 1, every)]
    unit = 10.0 ** math.floor(math.log10(high / 4)) if high > 0 else 1.0
    unit = next(unit * by for by in (1, 2, 5, 10) if high / (unit * by) <= 5)
    return [unit * i for i in range(math.ceil(high / unit - 1e-9) + 1)]


def line_chart(title: str, unit: str, lines: Sequence[tuple[str, Sequence[float | None]]],
               log: bool = False, filled: bool = False) -> str:
    """Lines over the steps; None and, on a logarithmic axis, 0 leave a gap."""
    steps = len(lines[0][1])
    values = [value for _, line in lines for value in line
              if value is not None and (value > 0 or not log)]
    low, high = (min(values), max(values)) if values else (0.1, 1.0)
    if log:
        low, high = min(low, high / 10), high
    ticks = _ticks(low, high if high > 0 else 1.0, log)
    bottom, top = (ticks[0], ticks[-1]) if log else (0.0, ticks[-1])
    x_of, height = _column(steps), 260

    def y_of(value: float) -> float:
        share = (math.log(value / bottom) / math.log(top / bottom) if log
                 else value / top)
        return _TOP + height * (1 - share)

    parts = []
    for tick in ticks:
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" '
                     f'y1="{y_of(tick):.1f}" y2="{y_of(tick):.1f}"/>')
        parts.append(_text(_LEFT - 8, y_of(tick) + 4, f"{tick:g} {unit}".strip(), "end"))
    for index, (name, line) in enumerate(lines):
        color = COLORS[index % len(COLORS)]
        points = [(x_of(step + 0.5), y_of(value)) for step, value in enumerate(line)
                  if value is not None and (value > 0 or not log)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        if filled and points:
            parts.append(f'<polygon fill="{color}" opacity="0.25" points="{points[0][0]:.1f},'
                         f'{y_of(bottom):.1f} {path} {points[-1][0]:.1f},{y_of(bottom):.1f}"/>')
        dash = "" if index < len(COLORS) else ' stroke-dasharray="5 3"'
        parts.append(f'<polyline fill="none" stroke="{color}" stroke-width="2"{dash} '
                     f'points="{path}"><title>{html.escape(name)}</title></polyline>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}"><title>'
                  f'{html.escape(name)}: {value:.4g} {unit}</title></circle>'
                  for (x, y), value in zip(points, (value for value in line if value is not None
                                                    and (value > 0 or not log)))]
    parts += _step_axis(steps, _TOP + height, x_of)
    return _svg(title, _TOP + height + _BOTTOM, parts) + legend(
        [(name, COLORS[index % len(COLORS)]) for index, (name, _) in enumerate(lines)])


def bar_chart(title: str, unit: str, bars: Sequence[tuple[str, float]]) -> str:
    """Bars with their values, one below the other."""
    high = max(value for _, value in bars) or 1.0
    parts, y = [], float(_TOP)
    for index, (name, value) in enumerate(bars):
        width = (_WIDTH - _LEFT - _RIGHT - 90) * value / high
        parts.append(_text(_LEFT - 8, y + 19, name, "end"))
        parts.append(f'<rect x="{_LEFT}" y="{y + 3:.1f}" width="{width:.1f}" height="22" '
                     f'fill="{COLORS[index % len(COLORS)]}"><title>{html.escape(name)}: '
                     f'{value:.4g} {unit}</title></rect>')
        parts.append(_text(_LEFT + width + 6, y + 19, f"{value:.3g} {unit}"))
        y += 30
    return _svg(title, y + 6, parts)


def legend(entries: Sequence[tuple[str, str]]) -> str:
    """Names beside their colours."""
    return '<p class="legend">' + "".join(
        f'<span><i style="background:{color}"></i>{html.escape(name)}</span>'
        for name, color in entries) + "</p>"

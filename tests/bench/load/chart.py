#!/usr/bin/env python3
"""Draws what script/bench measured of one room: chart.py RESULTS.jsonl OUT.svg

Deliveries a second and processor time of the node for each, over the number of members; medians of the runs."""

import json
import math
import statistics
import sys

RED, BLUE = "#b3402e", "#1f6f8b"
LEFT, TOP, PLOT_W, PLOT_H, GAP = 90, 90, 380, 300, 130
FONT = 'font-family="DejaVu Sans, Helvetica, Arial, sans-serif"'
PANELS = [("Deliveries a second, as fast as it goes", "deliveries_per_s", RED),
          ("Processor time of the node for each, µs", "node_us_per_delivery", BLUE)]


def points_of(results, key):
    sizes = {}
    for row in results:
        if row["name"] == "room_fanout":
            sizes.setdefault(row["n"], []).append(row[key])
    return sorted((n, statistics.median(values)) for n, values in sizes.items())


def step_for(top):
    size = 10 ** math.floor(math.log10(top / 2))
    return next(size * m for m in (1, 2, 5, 10) if top / (size * m) <= 6)


def panel(place, title, points, colour):
    left = LEFT + place * (PLOT_W + GAP)
    low, high = math.log10(points[0][0]), math.log10(points[-1][0])
    step = step_for(max(value for _, value in points))
    top = step * math.ceil(max(value for _, value in points) / step)

    def x(n):
        return left + (math.log10(n) - low) / (high - low or 1) * PLOT_W

    def y(value):
        return TOP + PLOT_H * (1 - value / top)
    out = [f'<text x="{left}" y="{TOP - 20}" font-size="16" font-weight="bold">{title}</text>']
    for i in range(round(top / step) + 1):
        value = i * step
        out.append(f'<line x1="{left}" x2="{left + PLOT_W}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="#dddddd"/>')
        out.append(f'<text x="{left - 8}" y="{y(value) + 4:.1f}" font-size="13" text-anchor="end">'
                   f'{format(round(value, 6), ",g") if value < 1000 else format(round(value), ",")}</text>')
    path = " ".join(f"{x(n):.1f},{y(value):.1f}" for n, value in points)
    out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2.5"/>')
    for n, value in points:
        out.append(f'<circle cx="{x(n):.1f}" cy="{y(value):.1f}" r="4" fill="{colour}"/>')
        out.append(f'<text x="{x(n):.1f}" y="{TOP + PLOT_H + 20}" font-size="13" text-anchor="middle">{n}</text>')
    out.append(f'<text x="{left + PLOT_W / 2}" y="{TOP + PLOT_H + 42}" font-size="14" text-anchor="middle">'
               f'members of the room, each with a session</text>')
    return out


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        results = [json.loads(line) for line in file]
    width, height = LEFT + 2 * (PLOT_W + GAP), TOP + PLOT_H + 80
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" {FONT} fill="#222222">',
           f'<rect width="{width}" height="{height}" fill="white"/>',
           f'<text x="{LEFT}" y="36" font-size="19" font-weight="bold">One room at one node: posts of 300 bytes, '
           f'durable, sealed for each session</text>']
    for place, (title, key, colour) in enumerate(PANELS):
        points = points_of(results, key)
        if points:
            out += panel(place, title, points, colour)
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        file.write("\n".join(out + ["</svg>"]) + "\n")


main()

#!/usr/bin/env python3
"""Draws what script/bench measured of MLS: chart.py RESULTS.jsonl OUT.svg

Time over the group's size on two logarithmic axes; each line has its floor, the bare primitives of the same run,
beneath it as a dashed line."""

import json
import math
import sys

PANELS = [
    ("A commit, from making it to following it", [
        ("mls_commit", "make a commit", "#b3402e"),
        ("mls_process_near", "follow it, next to its maker", "#1f6f8b"),
        ("mls_process_far", "follow it, far from its maker", "#5b7f3a"),
    ]),
    ("The whole group at once", [
        ("mls_create", "add all, tree in the Welcome", "#b3402e"),
        ("mls_create_apart", "add all, tree apart", "#8a6d1f"),
        ("mls_join", "join with a Welcome", "#1f6f8b"),
    ]),
]
WIDTH, HEIGHT, LEFT, TOP, PLOT_W, PLOT_H, GAP = 1360, 520, 80, 90, 360, 340, 310
FONT = 'font-family="DejaVu Sans, Helvetica, Arial, sans-serif"'


def time_text(us):
    return f"{us / 1e6:g} s" if us >= 1e6 else f"{us / 1e3:g} ms" if us >= 1e3 else f"{us:g} µs"


class Panel:
    def __init__(self, left, rows):
        self.left = left
        times = [t for points in rows for p in points for t in (p["median_ns"], p["floor_ns"])]
        sizes = [p["n"] for points in rows for p in points]
        self.x0, self.x1 = math.log10(min(sizes)), math.log10(max(sizes))
        self.y0 = math.floor(math.log10(min(times) / 1e3) * 3) / 3
        self.y1 = math.ceil(math.log10(max(times) / 1e3) * 3) / 3

    def x(self, n):
        return self.left + (math.log10(n) - self.x0) / (self.x1 - self.x0) * PLOT_W

    def y(self, ns):
        return TOP + PLOT_H - (math.log10(ns / 1e3) - self.y0) / (self.y1 - self.y0) * PLOT_H


def grid(panel, title, sizes):
    out = [f'<text x="{panel.left}" y="{TOP - 22}" font-size="17" font-weight="bold">{title}</text>']
    decade = math.floor(panel.y0)
    while decade <= panel.y1:
        for factor in (1, 2, 5):
            us = factor * 10 ** decade
            if panel.y0 - 1e-9 <= math.log10(us) <= panel.y1 + 1e-9:
                y = panel.y(us * 1e3)
                out.append(f'<line x1="{panel.left}" x2="{panel.left + PLOT_W}" y1="{y:.1f}" y2="{y:.1f}" '
                           f'stroke="#dddddd"/>')
                out.append(f'<text x="{panel.left - 8}" y="{y + 4:.1f}" font-size="13" '
                           f'text-anchor="end">{time_text(us)}</text>')
        decade += 1
    for n in sizes:
        x = panel.x(n)
        out.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{TOP + PLOT_H}" stroke="#eeeeee"/>')
        out.append(f'<text x="{x:.1f}" y="{TOP + PLOT_H + 20}" font-size="13" text-anchor="middle">{n}</text>')
    out.append(f'<text x="{panel.left + PLOT_W / 2}" y="{TOP + PLOT_H + 44}" font-size="14" '
               f'text-anchor="middle">members of the group</text>')
    return out


def line(panel, points, colour):
    def path(key):
        return " ".join(f"{panel.x(p['n']):.1f},{panel.y(p[key]):.1f}" for p in points)
    out = [f'<polyline points="{path("floor_ns")}" fill="none" stroke="{colour}" stroke-width="1.5" '
           f'stroke-dasharray="5 4" opacity="0.75"/>',
           f'<polyline points="{path("median_ns")}" fill="none" stroke="{colour}" stroke-width="2.5"/>']
    for p in points:
        out.append(f'<circle cx="{panel.x(p["n"]):.1f}" cy="{panel.y(p["median_ns"]):.1f}" r="4" fill="{colour}"/>')
    return out


def labels(panel, series):
    """Names at the lines' right ends, pushed apart where they would touch."""
    ends = sorted((panel.y(points[-1]["median_ns"]), name, colour, points[-1]) for points, name, colour in series)
    out, last = [], -100.0
    for y, name, colour, end in ends:
        y = max(y, last + 40)
        last = y
        x = panel.left + PLOT_W + 14
        out.append(f'<text x="{x}" y="{y:.1f}" font-size="14" fill="{colour}">{name}</text>')
        us = float(f'{end["median_ns"] / 1e3:.2g}')
        out.append(f'<text x="{x}" y="{y + 17:.1f}" font-size="13" fill="{colour}">'
                   f'{time_text(us)} at {end["n"]}, {end["ratio"]:.1f} x the floor</text>')
    return out


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        results = [json.loads(row) for row in file]
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" {FONT} fill="#222222">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
           f'<text x="{LEFT}" y="36" font-size="20" font-weight="bold">MLS: time over the size of the group</text>']
    for i, (title, rows) in enumerate(PANELS):
        series = []
        for name, label, colour in rows:
            points = sorted((r for r in results if r["name"] == name), key=lambda r: r["n"])
            series.append((points, label, colour))
        panel = Panel(LEFT + i * (PLOT_W + GAP), [points for points, _, _ in series])
        out += grid(panel, title, sorted({p["n"] for points, _, _ in series for p in points}))
        for points, _, colour in series:
            out += line(panel, points, colour)
        out += labels(panel, series)
    out.append(f'<text x="{LEFT}" y="{HEIGHT - 14}" font-size="13">Solid: measured, median. Dashed: the bare libsodium '
               f'operations that the protocol makes unavoidable, timed in the same run. One core, full tree.</text>')
    out.append("</svg>")
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        file.write("\n".join(out) + "\n")


main()

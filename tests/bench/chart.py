#!/usr/bin/env python3
"""Draws what script/bench measured of MLS: chart.py RESULTS.jsonl OUT.svg

Four pictures over the group's size, both axes logarithmic. Of a time, the bare primitives of the same run are drawn
too, as a dashed line of the same colour. Suite 3."""

import json
import math
import sys

RED, BLUE, GREEN, BROWN, VIOLET = "#b3402e", "#1f6f8b", "#5b7f3a", "#8a6d1f", "#6a4c93"

TIMES, SIZES = "median_ns", "bytes"
PANELS = [
    ("An empty commit in a full tree", TIMES, [
        ("mls_commit", "make it", RED),
        ("mls_process_near", "follow it, next to its maker", BLUE),
        ("mls_process_middle", "follow it, a quarter of the tree away", VIOLET),
        ("mls_process_far", "follow it, in the other half", GREEN),
        ("mls_public_process", "follow it, at the hub", BROWN),
    ]),
    ("The whole group at once", TIMES, [
        ("mls_create", "add all but oneself", RED),
        ("mls_join_full", "join a full tree with a Welcome", BLUE),
        ("mls_join_external", "join it by an external commit", GREEN),
    ]),
    ("An empty commit in a tree that isn't full", TIMES, [
        ("mls_commit_bulk", "make it, all added at once", RED),
        ("mls_process_far_bulk", "follow it, all added at once", BROWN),
        ("mls_commit_blanks", "make it, 10 taken out", BLUE),
        ("mls_process_far_blanks", "follow it, 10 taken out", GREEN),
    ]),
    ("Bytes, full tree", SIZES, [
        ("mls_memory", "memory of a member", RED),
        ("mls_group_info_size", "GroupInfo with the tree", BROWN),
        ("mls_save_commit", "stored by a commit", BLUE),
        ("mls_commit", "an empty commit", VIOLET),
        ("mls_save_post", "stored by a post", GREEN),
    ]),
]
LEFT, TOP, PLOT_W, PLOT_H, GAP_X, GAP_Y = 80, 96, 400, 330, 330, 120
WIDTH, HEIGHT = LEFT + 2 * (PLOT_W + GAP_X), TOP + 2 * (PLOT_H + GAP_Y)
FONT = 'font-family="DejaVu Sans, Helvetica, Arial, sans-serif"'


def amount(value, kind):
    """A rounded value with its unit."""
    units = (("s", 1e9), ("ms", 1e6), ("µs", 1e3)) if kind == TIMES else (("MB", 1e6), ("kB", 1e3), ("B", 1))
    for unit, size in units:
        if value >= size * 0.9999:
            return f"{float(f'{value / size:.3g}'):g} {unit}"
    return f"{value:g} {'ns' if kind == TIMES else 'B'}"


def short(value, kind):
    return amount(float(f"{value:.2g}"), kind)


class Panel:
    def __init__(self, place, kind, series):
        self.left = LEFT + place % 2 * (PLOT_W + GAP_X)
        self.top = TOP + place // 2 * (PLOT_H + GAP_Y)
        self.kind = kind
        values = [p[key] for points, _, _ in series for p in points for key in (kind, "floor_ns") if p.get(key)
                  and (kind == TIMES or key == kind)]
        self.sizes = sorted({p["n"] for points, _, _ in series for p in points})
        self.x0, self.x1 = math.log10(self.sizes[0]), math.log10(self.sizes[-1])
        self.y0, self.y1 = math.floor(math.log10(min(values)) * 3) / 3, math.ceil(math.log10(max(values)) * 3) / 3

    def x(self, n):
        return self.left + (math.log10(n) - self.x0) / (self.x1 - self.x0) * PLOT_W

    def y(self, value):
        return self.top + PLOT_H - (math.log10(value) - self.y0) / (self.y1 - self.y0) * PLOT_H


def grid(panel, title):
    out = [f'<text x="{panel.left}" y="{panel.top - 18}" font-size="17" font-weight="bold">{title}</text>']
    steps = (1, 2, 5) if panel.y1 - panel.y0 < 2.5 else (1,)
    for decade in range(math.floor(panel.y0), math.ceil(panel.y1) + 1):
        for value in (step * 10.0 ** decade for step in steps):
            if not panel.y0 - 1e-9 <= math.log10(value) <= panel.y1 + 1e-9:
                continue
            y = panel.y(value)
            out.append(f'<line x1="{panel.left}" x2="{panel.left + PLOT_W}" y1="{y:.1f}" y2="{y:.1f}" '
                       f'stroke="#dddddd"/>')
            out.append(f'<text x="{panel.left - 8}" y="{y + 4:.1f}" font-size="13" '
                       f'text-anchor="end">{amount(value, panel.kind)}</text>')
    below = panel.top + PLOT_H
    for n in panel.sizes:
        x, named = panel.x(n), n in (1, 2) or math.log10(n).is_integer()
        out.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{panel.top}" y2="{below}" stroke="#eeeeee"/>')
        if named:
            out.append(f'<text x="{x:.1f}" y="{below + 20}" font-size="13" text-anchor="middle">{n:,}</text>')
    out.append(f'<text x="{panel.left + PLOT_W / 2}" y="{below + 42}" font-size="14" '
               f'text-anchor="middle">members of the group</text>')
    return out


def line(panel, points, colour):
    def path(key):
        return " ".join(f"{panel.x(p['n']):.1f},{panel.y(p[key]):.1f}" for p in points)
    out = []
    if panel.kind == TIMES:
        out.append(f'<polyline points="{path("floor_ns")}" fill="none" stroke="{colour}" stroke-width="1.5" '
                   f'stroke-dasharray="5 4" opacity="0.75"/>')
    out.append(f'<polyline points="{path(panel.kind)}" fill="none" stroke="{colour}" stroke-width="2.5"/>')
    for p in points:
        out.append(f'<circle cx="{panel.x(p["n"]):.1f}" cy="{panel.y(p[panel.kind]):.1f}" r="3.5" fill="{colour}"/>')
    return out


def labels(panel, series):
    """Names at the lines' right ends, pushed apart where they would touch."""
    ends = sorted(((panel.y(points[-1][panel.kind]), name, colour, points[-1]) for points, name, colour in series),
                  key=lambda end: end[0])
    ys, last = [], panel.top - 40.0
    for y, *_ in ends:
        last = max(y, last + 42)
        ys.append(last)
    over = max(0.0, ys[-1] + 17 - (panel.top + PLOT_H))
    out = []
    for i in range(len(ys) - 1, -1, -1):
        ys[i] = min(ys[i] - over if i == len(ys) - 1 else ys[i], ys[i + 1] - 42 if i + 1 < len(ys) else ys[i])
    for y, (_, name, colour, end) in zip(ys, ends):
        x = panel.left + PLOT_W + 14
        out.append(f'<text x="{x}" y="{y:.1f}" font-size="14" fill="{colour}">{name}</text>')
        note = f'{short(end[panel.kind], panel.kind)} at {end["n"]:,}'
        if panel.kind == TIMES:
            note += f', {end["ratio"]:.2f} x the floor'
        out.append(f'<text x="{x}" y="{y + 17:.1f}" font-size="13" fill="{colour}">{note}</text>')
    return out


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        results = [row for row in map(json.loads, file) if row.get("suite", 3) == 3]
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" {FONT} fill="#222222">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
           f'<text x="{LEFT}" y="36" font-size="20" font-weight="bold">MLS over the size of the group</text>']
    for place, (title, kind, rows) in enumerate(PANELS):
        series = []
        for name, label, colour in rows:
            points = sorted((r for r in results if r["name"] == name and kind in r), key=lambda r: r["n"])
            if points:
                series.append((points, label, colour))
        if not series:
            continue
        panel = Panel(place, kind, series)
        out += grid(panel, title)
        for points, _, colour in series:
            out += line(panel, points, colour)
        out += labels(panel, series)
    out.append(f'<text x="{LEFT}" y="{HEIGHT - 16}" font-size="13">Solid: measured, median. Dashed: the bare primitives '
               f'that RFC 9420 makes unavoidable, run beside it. One core, suite 3, identities of 16 bytes.</text>')
    out.append("</svg>")
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        file.write("\n".join(out) + "\n")


main()

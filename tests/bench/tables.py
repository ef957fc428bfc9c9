#!/usr/bin/env python3
"""Writes what script/bench measured into the README's tables: tables.py RESULTS.jsonl... README.md [--check]

A table is filled by its first column: a row whose first cell ends in (`NAME`) or is `NAME`, and a head whose other cells
are group sizes ("suite 3: time, ratio ..." or "bytes (records)"), or n, median, floor, ratio, or n and some of LOAD. What
isn't measured stays empty; of what was measured more than once the median counts. --check writes nothing and exits with 1 where a cell says something else than the results."""
import json
import re
import statistics
import sys

# Heads of the tables of load, and where a result has what they say.
LOAD = {
    "posts/s": "messages_per_s", "deliveries/s": "deliveries_per_s", "p50, ms": "p50_ms", "p99, ms": "p99_ms",
    "node, µs each": "node_us_per_delivery", "node, cores": "node_cores", "load, cores": "load_cores", "ms": "ms",
    "records/s": "records_per_s", "MiB/s": "mib_per_s", "node, µs a record": "node_us_per_record", "sessions/s": "per_s",
    "begun again": "again",
    "node, µs a session": "node_us_each", "ready, ms": "ready_ms", "first session, ms": "first_session_ms", "stored, MiB": "stored_mib",
    "bytes": "bytes", "first, ms": "first_p50_ms", "arrived p50, ms": "arrived_p50_ms", "arrived p99, ms": "arrived_p99_ms",
    "floor p50, ms": "floor_p50_ms", "floor p99, ms": "floor_p99_ms", "ratio p50": "floor_ratio",
}


def three_digits(value):
    """12.345 -> 12.3, 1234.5 -> 1234, 2.0 -> 2"""
    places = 3 if value < 1 else 2 if value < 10 else 1 if value < 100 else 0
    text = f"{float(f'{value:.3g}'):.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def time_of(ns):
    for unit, size in (("s", 1e9), ("ms", 1e6)):
        if ns >= 0.9995 * size:
            return f"{three_digits(ns / size)} {unit}"
    return f"{three_digits(ns / 1e3)} µs"


def bytes_of(count):
    if count < 10_000:
        return f"{count:,} B"
    return f"{three_digits(count / 1e6)} MB" if count >= 999_500 else f"{three_digits(count / 1e3)} kB"


def time_cell(found):
    return f"{time_of(found['median_ns'])}, {found['ratio']:.2f}" if found else ""


def bytes_cell(found):
    if not found:
        return ""
    records = f" ({found['records']:,})" if "records" in found else ""
    return bytes_of(found["bytes"]) + records


def single_cells(found):
    """median, floor, ratio of one result"""
    median = time_of(found["median_ns"])
    if "mib_per_s" in found:
        median += f", {found['mib_per_s']:.0f} MiB/s"
    floor = f"{found['floor']}: {time_of(found['floor_ns'])}" if "floor" in found else ""
    return [median, floor, str(found.get("ratio", ""))]


def load_cells(head, results, row, n):
    found = results.get((row, n), {})
    cells = ["" if key not in found else f"{found[key]:,.0f}" if found[key] >= 1000 else three_digits(found[key])
             for key in (LOAD[name] for name in head)]
    return cells if any(cells) else []


def fill(line, head, results):
    """The row as the results have it, or as it is where it isn't one of theirs."""
    cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
    name = re.search(r"`([a-z0-9_]+)`\)?$", cells[0])
    if not name:
        return line
    name, sizes = name.group(1), head[1:]
    if sizes[:1] == ["n"] and all(name in LOAD for name in sizes[1:]):
        n = int(cells[1].replace(",", "") or 0)
        values = load_cells(sizes[1:], results, name, n)
        return "| " + " | ".join(cells[:2] + values) + " |\n" if values else line
    if sizes[:2] == ["n", "median"]:
        found = results.get((name, int(cells[1] or 0)))
        return line if not found else "| " + " | ".join(cells[:2] + single_cells(found)) + " |\n"
    cell = time_cell if "ratio" in head[0] else bytes_cell
    values = [cell(results.get((name, int(size.replace(",", ""))))) for size in sizes]
    return f"| {cells[0]} |" + "".join(f" {value} |" for value in values) + "\n"


def median_of(measured):
    """One result of several: numbers are medians."""
    found = {key: statistics.median(m[key] for m in measured) if isinstance(value, (int, float)) else value
             for key, value in measured[-1].items()}
    if "floor_p50_ms" in found:
        found["floor_ratio"] = found["p50_ms"] / found["floor_p50_ms"]
    return found


def main(*arguments):
    options = [a for a in arguments if a.startswith("--")]
    *files, readme = [a for a in arguments if not a.startswith("--")]
    measured = {}
    for line in (line for file in files for line in open(file)):
        result = json.loads(line)
        if result.get("suite", 3) == 3:
            measured.setdefault((result["name"], result["n"]), []).append(result)
    results = {key: median_of(several) for key, several in measured.items()}
    out, head, wrong = [], None, 0
    for line in open(readme):
        if line.startswith("| ") and head is None:
            head = [cell.strip() for cell in line.strip().strip("|").split("|")]
        elif not line.startswith("|"):
            head = None
        new = fill(line, head, results) if head and not line.startswith("| ---") else line
        if new != line:
            wrong += 1
            if "--check" in options:
                print(f"{readme} has\n  {line.strip()}\nmeasured was\n  {new.strip()}", file=sys.stderr)
        out.append(new)
    if "--check" not in options:
        open(readme, "w").write("".join(out))
    return 1 if wrong and "--check" in options else 0


sys.exit(main(*sys.argv[1:]))

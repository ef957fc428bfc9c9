#!/usr/bin/env python3
"""Every clause of the spec is named by a test that shows it, and every clause that anybody names is there: a test, the
spec itself, another page, a comment."""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
CLAUSE = re.compile(r"\*\*([A-Z]+-\d+)\*\*")
# One name; several of one prefix, by commas or "and"; a range, by "to".
NAMED = re.compile(r"\b([A-Z]+)-(\d+)((?:, \d+| and \d+)*)(?: to (?:[A-Z]+-)?(\d+))?")
KINDS = {".c", ".h", ".py", ".sh", ".mjs", ".ts", ".txt"}

clauses, twice = {}, []
for page in sorted((root / "spec").glob("*.md")):
    for name in CLAUSE.findall(page.read_text()):
        if name in clauses:
            twice.append(f"{name}: in {clauses[name]} and in {page.name}")
        clauses[name] = page.name
prefixes = {name.split("-")[0] for name in clauses}

named = {}
for file in sorted((root / "tests").rglob("*")):
    if file.suffix not in KINDS or "node_modules" in file.parts:
        continue
    for prefix, first, more, last in NAMED.findall(file.read_text(errors="replace")):
        if prefix not in prefixes:
            continue
        numbers = [int(first)] + [int(n) for n in re.findall(r"\d+", more)]
        if last:
            numbers += range(int(first) + 1, int(last) + 1)
        for number in numbers:
            named.setdefault(f"{prefix}-{number}", file.relative_to(root))

# Whoever else names one: the second name of a range counts as well.
elsewhere = {}
for file in sorted(f for folder in ("spec", "proto", "node", "client", "script") for f in (root / folder).rglob("*")) + \
        [f for f in root.glob("*.md") if f.name != "CHANGELOG.md"]:
    if file.suffix not in KINDS | {".md", ".proto", ".def", ".cmake", ""} or not file.is_file():
        continue
    for prefix, first, more, last in NAMED.findall(file.read_text(errors="replace")):
        for number in [first, *re.findall(r"\d+", more), *filter(None, [last])]:
            if prefix in prefixes:
                elsewhere.setdefault(f"{prefix}-{int(number)}", file.relative_to(root))

complaints = twice
complaints += [f"{name} ({page}): no test names it" for name, page in clauses.items() if name not in named]
complaints += [f"{name}: {file} names it, the spec doesn't have it"
               for name, file in sorted({**elsewhere, **named}.items()) if name not in clauses]
for complaint in complaints:
    print(complaint, file=sys.stderr)
if not complaints:
    print(f"{len(clauses)} clauses, each named by a test")
sys.exit(1 if complaints else 0)

#!/usr/bin/env python3
"""The README's table of vectors says what `mls_vectors` counts: table.py PROGRAM README. Exits with 77 where the vectors
aren't there, or a suite of the table isn't in this build."""
import re
import subprocess
import sys

program, readme = sys.argv[1], sys.argv[2]
SKIPPED = 77


def counted(family):
    """The table's cells for a family: all entries, those of suite 3, those of suite 1."""
    run = subprocess.run([program, family], capture_output=True, text=True)
    if run.returncode == SKIPPED or " 0 skipped" not in run.stdout:
        print(f"{family}: {run.stdout}{run.stderr}".strip())
        sys.exit(SKIPPED)
    last = run.stdout.strip().splitlines()[-1]
    passed, failed = map(int, re.match(r"(\d+) passed, (\d+) failed", last).groups())
    suites = {number: f"{done} of {all_}" for number, done, all_ in re.findall(r"suite (\d+): (\d+) of (\d+)", last)}
    whole = "" if suites else f"{passed} of {passed + failed}"
    return [suites.get("3", ""), suites.get("1", ""), whole]


rows = re.findall(r"^\| `([a-z_-]+)` \|([^|]*)\|([^|]*)\|([^|]*)\|$", open(readme).read(), re.M)
wrong = 0
for family, *cells in rows:
    have, want = [cell.strip() for cell in cells], counted(family)
    if have != want:
        print(f"README says of {family}: {have}; mls_vectors counts {want}", file=sys.stderr)
        wrong += 1
if len(rows) < 16:
    sys.exit(f"README has {len(rows)} families in its table, not 16")
print(f"{len(rows)} families are as the README has them")
sys.exit(1 if wrong else 0)

#!/usr/bin/env python3
"""A page shows the sample's very text: each ```c block of PAGE stands, line by line, in one of the FILES; a ```output
block is what PROGRAM prints.  pages.py PAGE PROGRAM FILES..."""
import pathlib
import re
import subprocess
import sys

page, program, files = pathlib.Path(sys.argv[1]), sys.argv[2], [pathlib.Path(f) for f in sys.argv[3:]]
blocks = re.findall(r"^```(c|output)\n(.*?)^```$", page.read_text(), re.M | re.S)
texts = ["\n" + f.read_text() for f in files]
complaints = []
if not any(kind == "c" for kind, _ in blocks) or not any(kind == "output" for kind, _ in blocks):
    complaints.append("no code or no output is shown")
for kind, text in blocks:
    if kind == "c" and not any("\n" + text in whole for whole in texts):
        complaints.append(f"this is not in {', '.join(f.name for f in files)}:\n{text}")
    if kind == "output":
        run = subprocess.run([program], capture_output=True, text=True, timeout=60)
        if run.returncode != 0 or run.stdout != text:
            complaints.append(f"{program} ended with {run.returncode} and said\n{run.stdout}{run.stderr}instead of\n{text}")
for complaint in complaints:
    print(f"{page}: {complaint}", file=sys.stderr)
if not complaints:
    print(f"{page.name}: {len(blocks)} blocks are as the sample has them")
sys.exit(1 if complaints else 0)

#!/usr/bin/env python3
"""The direction of includes: a file includes only its own stage or an earlier storey; proto/ and node/core do no
I/O and know no clock; one file speaks LMDB; the command line and the samples know nothing but the public headers."""
import pathlib
import re
import sys

# Stages of one storey don't know each other.
STOREYS = [
    ["proto/base"], ["proto/schema"], ["proto/crypto", "proto/wire"], ["proto/noise", "proto/mls", "proto/object"],
    ["proto/identity", "proto/link", "proto/mls_api"], ["proto/room", "proto/deal"],
    ["node/core"], ["node/store"], ["node/net"], ["node/http", "node/discover"], ["node/admin"], ["node"],
    ["client/store"], ["client/sync"], ["client/net"], ["client/api"],
]
STOREY = {stage: number for number, row in enumerate(STOREYS) for stage in row}
IO = re.compile(r"^#include <(uv|lmdb|unistd|sys/socket|sys/stat|sys/mman|fcntl|netdb|time|pthread)\.h>", re.M)
INCLUDE = re.compile(r'^#include "([^"]+)"', re.M)

root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
complaints = []


def stage_of_file(file):
    parts = file.parts[:-1]
    return "/".join(parts[:2])


def stage_of_include(side, name):
    folder = name.split("/")[0]
    if name.endswith(".pb-c.h"):
        return "proto/schema" if folder == "schema" else "node/core"
    for base in (side, "proto"):
        if (root / base / folder).is_dir() and (root / base / name).exists():
            return f"{base}/{folder}"
    # libhanse stands on the LMDB wrapper too: it is the one thing that client/ takes from node/.
    return "shared" if name == "store/lmdb_kv.h" else None


def check(file):
    text = (root / file).read_text()
    own, side = stage_of_file(file), file.parts[0]
    if own.startswith("client/cli") or "include" in file.parts or "sample" in file.parts:
        for name in INCLUDE.findall(text):
            if "/" in name:
                complaints.append(f"{file}: includes \"{name}\": it may know the public headers and its own files only")
        return
    if own not in STOREY:
        complaints.append(f"{file}: its folder is in no storey: add it to {sys.argv[0]}")
        return
    for name in INCLUDE.findall(text):
        target = stage_of_include(side, name)
        if name.endswith(".def") or target in (None, own, "shared"):
            continue
        if STOREY.get(target, 99) >= STOREY[own]:
            complaints.append(f"{file}: includes \"{name}\" ({target}), which isn't below {own}: "
                              "move what both need further down")
    if side == "proto" or own == "node/core":
        for header in IO.findall(text):
            complaints.append(f"{file}: includes <{header}.h>: proto/ and node/core do no I/O and know no clock")
    if "#include <lmdb.h>" in text and not str(file).startswith("node/store/lmdb_"):
        complaints.append(f"{file}: only node/store/lmdb_* speaks LMDB")


files = sorted(f.relative_to(root) for side in ("proto", "node", "client") for f in (root / side).rglob("*.[ch]"))
for one in files:
    check(one)
for complaint in complaints:
    print(complaint, file=sys.stderr)
if not complaints:
    print(f"includes point down: {len(files)} files")
sys.exit(1 if complaints else 0)

#!/usr/bin/env python3
"""Files through hub and follower, with senders, receivers and nodes that die in the middle.

DELIVERY-35, DELIVERY-39, DELIVERY-40, CLIENT-36, CLIENT-37, CLIENT-82 with real programs.
"""
import os
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from stage import Brands, check, play  # noqa: E402

ROOM = Brands.ROOM
SIZE = 20_000_000
CANARY = os.urandom(32)


class Scene(Brands):
    def __init__(self, programs, root):
        super().__init__(programs, root)
        self.cem_joins()
        self.mo.stop()
        self.file = root / "film.mp4"
        self.file.write_bytes(CANARY + os.urandom(SIZE - 64) + CANARY)

    def break_off(self, person, *args, after, node=None):
        """Begins a command and kills it, or the node under it, in the middle."""
        running = person.start(*args)
        time.sleep(after)
        if node:
            node.kill()
        running.kill()
        person.running = None
        if node:
            node.start()

    def same(self, path):
        check(path.read_bytes() == self.file.read_bytes(), f"{path.name} is what was sent")


def what_is_called_waits_for_nothing(s):
    done = subprocess.run([s.programs.build / "tests" / "e2e" / "embed", s.cem.dir], capture_output=True, text=True,
                          timeout=60)
    check(done.returncode == 0, done.stderr)


def out_through_the_hub(s):
    for after in (0.15, 0.4):
        s.break_off(s.mo, "send", ROOM, "--file", s.file, after=after)
    s.break_off(s.mo, "send", ROOM, "--file", s.file, after=0.3, node=s.hub)
    s.seq = s.mo.run("send", ROOM, "--file", s.file, seconds=120)["seq"]


def in_through_the_follower(s):
    to = s.root / "saved.mp4"
    s.break_off(s.cem, "save", ROOM, s.seq, "--to", to, after=0.6)
    s.break_off(s.cem, "save", ROOM, s.seq, "--to", to, after=2.6, node=s.home)
    if not to.exists():
        s.cem.run("save", ROOM, s.seq, "--to", to, seconds=120)
    s.same(to)


def out_through_the_follower(s):
    s.break_off(s.cem, "send", ROOM, "--file", s.file, after=0.5, node=s.home)
    seq = s.cem.run("send", ROOM, "--file", s.file, seconds=120)["seq"]
    to = s.root / "back.mp4"
    s.mo.run("save", ROOM, seq, "--to", to, seconds=120)
    s.same(to)


def nobody_reads_along(s):
    for node in s.nodes:
        check(not node.holds(CANARY), f"{node.domain} has no plaintext")


if __name__ == "__main__":
    sys.exit(play(Scene, (what_is_called_waits_for_nothing, out_through_the_hub, in_through_the_follower,
                          out_through_the_follower, nobody_reads_along),
                  "hanse-files-"))

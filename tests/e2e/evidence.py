#!/usr/bin/env python3
"""A hub that tells two stories, and signs both: FED-40, FED-44, ROOM-80, CLIENT-50, DELIVERY-61 with real programs.

The second story is told by the hub's own daemon, with its own keys, from a copy of its store.
"""
import json
import pathlib
import random
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from stage import Brands, Copy, Person, check, play, wait_for  # noqa: E402

ROOM = Brands.ROOM


class Scene(Brands):
    """Cem and Tea have homes of their own, which follow the hub."""

    def __init__(self, programs, root):
        super().__init__(programs, root)
        self.cem_joins()
        self.third = self.node("tee.example")
        self.tea = self.joins("Tea", self.third)

    def texts(self, person):
        return [text for _, text in person.texts(ROOM)]

    def tells(self, hub, moderator, reader, text):
        """That hub's log goes on with this, and the reader has it; nobody else is there."""
        moderator.run("send", ROOM, text)
        wait_for(lambda: text in self.texts(reader), f"{reader.name} reads {text!r}", 30)
        hub.stop()


def both_stories_are_believed(s):
    s.cem.run("send", ROOM, "the beginning")
    s.hears("the beginning")
    wait_for(lambda: "the beginning" in s.texts(s.tea), "Tea reads it", 30)
    s.mo.stop()
    for node in s.nodes:
        node.stop()
    s.other = Copy(s.hub, s.root / "other-story", "store")
    s.other_mo = Person(s.programs, s.root, "other-mo")
    shutil.copytree(s.mo.dir, s.other_mo.dir)
    s.people.append(s.other_mo)
    s.home.start()
    s.hub.start()
    s.tells(s.hub, s.mo, s.cem, "the first story")
    s.home.stop()
    s.third.start()
    s.other.start()
    s.nodes.append(s.other)
    s.tells(s.other, s.other_mo, s.tea, "the second story")


def whoever_hears_both_proves_it(s):
    s.other.start()
    s.home.start()
    s.other_mo.run("send", ROOM, "the second story goes on")
    wait_for(lambda: "rosa.example" in s.home.hansed("evidence"), "the home has proof", 30)
    out = s.root / "operator.evidence"
    s.cem.run("sync", expect=[0, 1])
    s.cem.run("send", ROOM, "do you hear me?", expect=[1, 3])
    check("LOG_FORK" in s.cem.error, f"the room is frozen: {s.cem.error}")
    check("the first story" in s.texts(s.cem), "what was there can be read")
    s.file = s.root / "rosa.evidence"
    for words in ([ROOM], ["--out", s.file], [ROOM, "more", "--out", s.file], [ROOM, "--in", s.file]):
        s.cem.run("evidence", *words, expect=2)
    s.cem.run("evidence", ROOM, "--out", s.file)
    check(not out.exists() and s.file.stat().st_size > 100, "there is a file")
    s.tea.run("evidence", ROOM, "--out", out, expect=[1, 3])
    check("NOT_FOUND" in s.tea.error and not out.exists(), f"Tea has heard one story only: {s.tea.error}")


def anybody_can_check_it(s):
    def verify(path, *options):
        return subprocess.run([s.programs.hanse, *options, "verify", path], capture_output=True, text=True, timeout=30,
                              env={"HOME": "/nonexistent", "TZ": "UTC"})
    said = verify(s.file)
    check(said.returncode == 0 and "rosa.example" in said.stdout and "two stories" in said.stdout, f"{said}")
    facts = json.loads(verify(s.file, "--json").stdout)
    check(facts["evidence"] and facts["root"] == s.other.root() and facts["domain"] == "rosa.example", f"{facts}")
    original, seed = s.file.read_bytes(), random.randrange(1 << 32)
    for bit in random.Random(seed).sample(range(len(original) * 8), 64):
        altered = bytearray(original)
        altered[bit // 8] ^= 1 << (bit % 8)
        path = s.root / "altered"
        path.write_bytes(altered)
        check(verify(path).returncode == 5, f"bit {bit} altered (seed {seed}) is refused")


if __name__ == "__main__":
    sys.exit(play(Scene, (both_stories_are_believed, whoever_hears_both_proves_it, anybody_can_check_it),
                  "hanse-evidence-"))

#!/usr/bin/env python3
"""Members commit in order to lock others out, and the room goes on: real daemons, real clients.

ROOM-64, ROOM-65, CLIENT-41, CLIENT-43.
"""
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from stage import Brands, check, play, wait_for  # noqa: E402

ROOM = Brands.ROOM


class Scene(Brands):
    def __init__(self, programs, root):
        super().__init__(programs, root)
        self.evil = programs.build / "tests" / "e2e" / "evil_commit"
        self.named = {"Mo": self.mo}
        for name in ("Ben", "Mallory", "Carl"):
            self.comes(name)

    def comes(self, name):
        """Ben is at home with the other brand."""
        self.named[name] = self.joins(name, self.home if name == "Ben" else self.hub)
        if name != "Mallory":
            self.chat(name)

    def chat(self, name):
        self.named[name].start("chat", ROOM).wait_line("online")

    def forge(self, name, kind):
        """That member's next session brings such a commit."""
        person = self.named[name]
        person.stop()
        person.run("sync")  # the commit is of the present epoch
        done = subprocess.run([self.evil, person.dir, kind], capture_output=True, text=True, timeout=60)
        check(done.returncode == 0, f"evil_commit: {done.stderr.strip()}")
        person.run("sync", expect=[0, 1])

    def says(self, name, text, to):
        self.named[name].running.type(text)
        for other in to:
            lines = self.named[other].running.lines
            wait_for(lambda: any(text in line for line in lines()), f"{other} reads {text!r}", 30)

    def voids(self):
        return self.hub.log.read_text().count("commit-void")


def one_side_of_the_tree_is_locked_out(s):
    s.forge("Mallory", "half")
    s.says("Carl", "can you all read this?", ["Mo", "Ben"])
    s.says("Ben", "yes", ["Mo", "Carl"])
    wait_for(lambda: s.voids() == 1, "the hub's word of it", 20)
    s.says("Mo", "and on we go", ["Ben", "Carl"])


def everybody_is_locked_out(s):
    s.forge("Carl", "tag")
    s.says("Mo", "hello?", ["Ben"])
    wait_for(lambda: s.voids() == 2, "the hub's word of it", 20)
    s.chat("Carl")
    s.says("Ben", "hello!", ["Mo", "Carl"])


def the_room_goes_on(s):
    s.comes("Dora")
    s.says("Dora", "hello, I am new", ["Mo", "Ben", "Carl"])
    for name in ("Mo", "Ben", "Carl", "Dora"):
        s.named[name].stop()
    for name in ("Mo", "Ben", "Carl"):
        texts = [m for m in s.named[name].run("log", ROOM) if m["kind"] in ("text", "refused")]
        spoken = [m["text"] for m in texts if m["kind"] == "text"]
        check(sorted(spoken) == sorted(set(spoken)), f"{name} has each text once: {spoken}")
        for text in ("can you all read this?", "yes", "and on we go", "hello?", "hello!", "hello, I am new"):
            check(text in spoken, f"{name} has {text!r}: {spoken}")
        check(len(texts) == len(spoken), f"{name} saw nothing of it: {texts}")
        log = s.named[name].log.read_text()
        check("frozen" not in log, f"{name}'s room isn't frozen")


if __name__ == "__main__":
    sys.exit(play(Scene, (one_side_of_the_tree_is_locked_out, everybody_is_locked_out, the_room_goes_on),
                  "hanse-settle-"))

#!/usr/bin/env python3
"""A device's store is copied, and both copies run: each is told so when the other one comes, and they don't fight for
the place. When one of them ends the other goes on.

CLIENT-86, DELIVERY-15 with real programs.
"""
import pathlib
import shutil
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from stage import Brands, Person, check, play, wait_for  # noqa: E402

ROOM = Brands.ROOM
WAIT_LEAST = 15  # seconds, of who has been told
TOLD = "a copy of this device is in use elsewhere"


class Scene(Brands):
    def __init__(self, programs, root):
        super().__init__(programs, root)
        self.cem_joins()
        self.cem.run("send", ROOM, "before there were two")
        self.hears("before there were two")
        self.copy = Person(programs, root, "Copy")
        self.people.append(self.copy)
        shutil.copytree(self.cem.dir, self.copy.dir)


def count(person, words):
    return sum(words in line for line in person.running.lines())


def told(person):
    return count(person, TOLD)


def onlines(person):
    return count(person, "* online")


def who_was_first_is_told(s):
    s.began = time.monotonic()
    s.cem.start("chat", ROOM).wait_line("online")
    check(told(s.cem) == 0, "alone, nobody is told")
    s.copy.start("chat", ROOM).wait_line("online")
    s.cem.running.wait_line(TOLD)
    check(told(s.copy) == 0, "who comes isn't told")
    s.copy.running.type("said by the copy")
    s.hears("said by the copy")


def and_the_other_when_the_first_comes_back(s):
    s.copy.running.wait_line(TOLD, 60)
    s.cem.running.wait_line("said by the copy")
    turns = onlines(s.cem) + onlines(s.copy)
    most = 2 + (time.monotonic() - s.began) / WAIT_LEAST
    check(turns <= most, f"{turns} sessions, and {most:.1f} would do: they fight for the place")


def one_of_them_ends(s):
    s.copy.stop()
    before = told(s.cem)
    wait_for(lambda: onlines(s.cem) > before, "he is online", 60)
    s.cem.running.type("only one is left")
    s.hears("only one is left", 60)
    check(told(s.cem) == before, "nobody is told any more")
    s.mo.stop()
    lines = [text for _, text in s.mo.texts(ROOM)]
    check(lines == ["before there were two", "said by the copy", "only one is left"], f"{lines}")


if __name__ == "__main__":
    sys.exit(play(Scene, (who_was_first_is_told, and_the_other_when_the_first_comes_back, one_of_them_ends),
                  "hanse-twice-"))

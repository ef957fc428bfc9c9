#!/usr/bin/env python3
"""Devices that can't read everything any more: away for longer than posts are kept, or back from an old copy.

CLIENT-56 to CLIENT-61, DELIVERY-62, ROOM-90, ROOM-91 with real programs.
"""
import pathlib
import shutil
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from stage import Brands, check, play, wait_for  # noqa: E402

SHORT = "Short"


class Scene(Brands):
    def __init__(self, programs, root):
        super().__init__(programs, root)
        self.cem_joins()
        self.dora = self.joins("Dora", self.home)
        self.room = self.ROOM

    def log(self, person, room=None):
        found = person.run("log", room or self.room)
        return found if isinstance(found, list) else [found]

    def kept(self, person):
        copy = person.dir.with_suffix(".copy")
        shutil.copytree(person.dir, copy)
        return copy

    def goes_back(self, person, copy):
        shutil.rmtree(person.dir)
        shutil.copytree(copy, person.dir)


def posts_that_are_kept_no_longer(s):
    """CLIENT-56, DELIVERY-62: while Cem is away posts end, Dora comes and goes; he sees the gap, and all behind it."""
    s.mo.stop()
    s.mo.run("room", "create", SHORT, "--keep", "4s")
    link = s.mo.run("invite", SHORT, "--uses", "5", "--until", "7d")["link"]
    s.mo.start("chat", SHORT).wait_line("online")
    check(s.cem.run("join", link, "--wait", "30")["state"] == "member", "Cem is in")
    for i in range(3):
        s.mo.running.type(f"soon forgotten {i}")
    wait_for(lambda: sum("soon forgotten" in line for line in s.mo.running.lines()) == 3, "they are in the log")
    check(s.dora.run("join", link, "--wait", "30")["state"] == "member", "Dora is in")
    s.mo.stop()
    s.mo.run("remove", SHORT, "Dora")
    s.mo.start("chat", SHORT).wait_line("online")

    time.sleep(7)  # past what is kept, and the node's next look
    news = [f"news {i}" for i in range(3)]
    for text in news:
        s.mo.running.type(text)
    wait_for(lambda: [m["text"] for m in s.log(s.cem, SHORT) if m["kind"] == "text"] == news, "Cem reads what is new")
    log = s.log(s.cem, SHORT)
    gap = [m for m in log if m["kind"] == "gap"]
    check(len(gap) == 1 and gap[0]["missing"] == 3 and gap[0]["last"] - gap[0]["seq"] == 2, f"one gap: {gap}")
    behind = [m["kind"] for m in log[log.index(gap[0]) + 1:]]
    check(behind == ["joined", "left", "text", "text", "text"], f"and all behind it: {behind}")
    check("3 posts" in s.cem.run("log", SHORT, as_json=False), "and it is said in words")
    s.cem.run("send", SHORT, "I was away")
    wait_for(lambda: any("I was away" in line for line in s.mo.running.lines()), "the room goes on with him")
    s.mo.stop()


def an_old_copy_comes_back(s):
    s.older = copy = s.kept(s.mo)
    s.mo.run("remove", s.room, "Dora")
    s.mo.run("send", s.room, "with keys that are lost soon")
    s.cem.run("send", s.room, "who reads this?")
    s.goes_back(s.mo, copy)
    s.mo.run("sync")
    s.mo.run("send", s.room, "I am back")
    gap = [m for m in s.log(s.mo) if m["kind"] == "gap"]
    check(len(gap) == 1 and gap[0]["missing"] == 2 and gap[0]["error"] == "STATE_LOST", f"one gap: {gap}")
    texts = [text for _, text in s.cem.texts(s.room)]
    check(texts == ["with keys that are lost soon", "who reads this?", "I am back"], f"Cem reads all: {texts}")
    left = [m for m in s.log(s.cem) if m["kind"] == "left"]
    check(len(left) == 1, "nobody but Dora was removed")
    check(len(s.cem.run("members", s.room)) == 2, "and all are there")
    check("can't be read" in s.mo.run("log", s.room, as_json=False), "and it is said in words")


def an_old_copy_of_a_customer(s):
    copy = s.kept(s.cem)
    s.cem.run("send", s.room, "before the telephone fell into the water")
    s.goes_back(s.cem, copy)
    s.cem.run("send", s.room, "it is dry again")
    s.mo.run("sync")
    for person in (s.mo, s.cem):
        texts = [text for _, text in person.texts(s.room)]
        check(texts[-2:] == ["before the telephone fell into the water", "it is dry again"], f"all is there: {texts}")


def two_copies(s):
    """The copy of the step before, whose place was taken since, and the one that took it."""
    newer = s.root / "newer"
    shutil.copytree(s.mo.dir, newer)
    for copy, text in ((s.older, "the older one"), (newer, "the newer one")):
        s.goes_back(s.mo, copy)
        s.mo.run("sync", expect=[0, 1])
        s.mo.run("send", s.room, "am I in?", expect=3)
        check("rejoin" in s.mo.error, f"it says what to do: {s.mo.error}")
        s.mo.run("rejoin", s.room)
        s.mo.run("send", s.room, text)
        check([said for _, said in s.cem.texts(s.room)][-1] == text, f"Cem reads {text}")


def the_nodes_agree(s):
    for node in s.nodes:
        node.stop()
        check("all is well" in node.hansed("check"), f"{node.domain} is well")


if __name__ == "__main__":
    sys.exit(play(Scene, [posts_that_are_kept_no_longer, an_old_copy_comes_back, an_old_copy_of_a_customer, two_copies,
                          the_nodes_agree], "hanse-gap-"))

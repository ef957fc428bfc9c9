#!/usr/bin/env python3
"""What is promised of delivery, with real daemons and real clients: DELIVERY-60 to DELIVERY-63."""
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from stage import Brands, Person, check, play, wait_for  # noqa: E402

ROOM = Brands.ROOM
WEEKS = 3 * 7 * 24 * 3600
POSTS = 50


class Scene(Brands):
    def __init__(self, programs, root):
        super().__init__(programs, root)
        self.tools = programs.build / "tests" / "e2e"
        self.cem_joins()
        self.anna = self.joins("Anna", self.hub)
        self.dora = self.joins("Dora", self.home)

    def copy(self, person, name):
        """What a thief takes: the device's state as it is now."""
        thief = Person(self.programs, self.root, name)
        shutil.copytree(person.dir, thief.dir)
        return thief

    def opens(self, person):
        """The texts that this device's keys open of all that the hub has; the hub isn't asked for any of it."""
        done = subprocess.run([self.tools / "eavesdrop", person.dir, self.hub.dir / "store"], capture_output=True,
                              text=True, timeout=60)
        check(done.returncode == 0, f"eavesdrop: {done.stderr.strip()}")
        return done.stdout.splitlines()

    def all_have(self, people, texts):
        """Each has these texts once, at the same numbers as everybody else, in the order of their sender."""
        first = None
        for person in people:
            def has(person=person):
                self.found = [(seq, text) for seq, text in person.texts(ROOM) if text in texts]
                return len(self.found) >= len(texts)
            wait_for(has, f"{person.name} has {len(texts)} texts", 60)
            check(len(self.found) == len(texts), f"{person.name} has one twice: {self.found}")
            first = first or self.found
            check(self.found == first, f"{person.name} has another order: {self.found}, {first}")
        return [text for _, text in first]


def nothing_is_lost_by_whoever_dies(s):
    """DELIVERY-60, DELIVERY-61: hub and home are killed in turn while both sides post."""
    s.mo.stop()
    said = {person: [] for person in (s.anna, s.cem)}
    over = threading.Event()

    def talk(person):
        last = False
        while not last:
            last = over.is_set()
            texts = [f"{person.name} says {len(said[person]) + i}" for i in range(POSTS)]
            said[person] += texts
            person.run("--timeout", "90", "send", ROOM, "-", text="\n".join(texts), seconds=120)

    talks = [threading.Thread(target=talk, args=(person,)) for person in said]
    for one in talks:
        one.start()
    for i, node in enumerate((s.hub, s.home, s.hub, s.home)):
        time.sleep(0.1 + 0.05 * i)
        check(all(one.is_alive() for one in talks), f"both still talk when {node.domain} is killed for the {i + 1}th time")
        node.kill()
        node.start()
    over.set()
    for one in talks:
        one.join()
    order = s.all_have([s.mo, s.anna, s.cem, s.dora], said[s.anna] + said[s.cem])
    for person in said:
        check([t for t in order if t in said[person]] == said[person], f"{person.name}'s posts are in order: {order}")
    s.mo.start("chat", ROOM).wait_line("online")


def who_was_removed_reads_nothing_more(s):
    """DELIVERY-63: neither from its store, nor with its keys from all that the hub has."""
    s.anna.run("send", ROOM, "Dora is still here")
    thief, friend = s.copy(s.dora, "dora-before"), s.copy(s.cem, "cem-before")
    s.dora.run("sync")
    s.mo.stop()
    s.mo.run("remove", ROOM, "Dora")
    s.mo.start("chat", ROOM).wait_line("online")
    for i in range(3):
        s.anna.run("send", ROOM, f"about Dora {i}")
    s.hears("about Dora 2")
    check("Dora is still here" in s.opens(thief), "with her keys what came before can be read")
    secret = [text for text in s.opens(friend) if text.startswith("about Dora")]
    check(len(secret) == 3, f"with a member's keys all can be read: {secret}")
    s.dora.run("sync", expect=[0, 1])
    for who in (s.dora, thief):
        for text in s.opens(who) + [m.get("text", "") for m in who.run("log", ROOM)]:
            check(not text.startswith("about Dora"), f"{who.name} reads {text!r}")
    s.dora.run("--timeout", "2", "send", ROOM, "let me in", expect=[1, 3, 4])


def a_newcomer_reads_nothing_from_before(s):
    """DELIVERY-63: the newcomer's keys are tried on all that the hub has, too."""
    s.eva = s.joins("Eva", s.home)
    fresh = s.copy(s.eva, "eva-fresh")
    s.anna.run("send", ROOM, "welcome, Eva")
    s.hears("welcome, Eva")
    wait_for(lambda: "welcome, Eva" in [text for _, text in s.eva.texts(ROOM)], "Eva reads on")
    check(s.opens(fresh) == ["welcome, Eva"], f"of all posts Eva's keys open {s.opens(fresh)}")
    shown = [m.get("text", "") for m in s.eva.run("log", ROOM)]
    check(not any("says" in text or "about" in text for text in shown), f"Eva is shown {shown}")


def who_was_away_for_weeks_gets_it_all(s):
    """DELIVERY-62: meanwhile people came and went, and both nodes were started anew."""
    texts = []
    for i in range(4):
        texts += [f"{name} in week {i}" for name in ("Anna", "Eva")]
        s.anna.run("send", ROOM, texts[-2])
        s.eva.run("send", ROOM, texts[-1])
        s.joins(f"Guest{i}", s.hub)
    s.mo.stop()
    for node in s.nodes:
        node.stop()
    os.environ.update(LD_PRELOAD=str(s.tools / "libclock.so"), CLOCK_AHEAD=str(WEEKS))
    for node in s.nodes:
        node.start()
    s.anna.run("send", ROOM, "three weeks later")
    texts.append("three weeks later")
    check(s.all_have([s.cem, s.anna, s.eva], texts) == texts, "Cem, who was away, has it in order")
    days = {m["text"]: m["time"] // (24 * 3600 * 1000) for m in s.cem.run("log", ROOM) if m["kind"] == "text"}
    check(days[texts[-1]] - days[texts[0]] in (21, 22), f"it is three weeks later: {days}")
    s.cem.run("send", ROOM, "I am back")
    s.all_have([s.cem, s.anna, s.eva], texts + ["I am back"])


if __name__ == "__main__":
    sys.exit(play(Scene, (nothing_is_lost_by_whoever_dies, who_was_removed_reads_nothing_more,
                          a_newcomer_reads_nothing_from_before, who_was_away_for_weeks_gets_it_all),
                  "hanse-guarantees-"))

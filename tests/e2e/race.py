#!/usr/bin/env python3
"""Moderators at three nodes let in whoever comes, all at once: each commit that loses goes on behind the winner's.

CLIENT-11, CLIENT-62, CLIENT-63, CLIENT-64, ROOM-52 with real programs.
"""
import pathlib
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from stage import Brands, Person, check, play, wait_for  # noqa: E402

ROOM = Brands.ROOM
WAVES, EACH = 3, 4


class Scene(Brands):
    def __init__(self, programs, root):
        super().__init__(programs, root)
        self.third = self.node("blumen.example")
        self.mods = [self.mo]
        self.guests = []

    def key_in_room(self, person):
        return next(m["person"]["key"] for m in person.run("members", ROOM) if m["self"])

    def becomes_moderator(self, name, node):
        person = self.joins(name, node)
        handle = name.lower()
        text = self.hub.hansed("grant", "--key", self.key_in_room(person), "--handle", handle)
        person.run("grant", "-", text=text)
        whose = f"{handle}@{self.hub.domain}"
        self.mo.stop()
        wait_for(lambda: any(m["person"]["handle"] == whose for m in self.mo.run("members", ROOM)),
                 f"the room knows {whose}")
        check(self.mo.run("role", ROOM, whose, "moderator")["role"] == "moderator", f"{name} is a moderator")
        self.mo.start("chat", ROOM).wait_line("online")
        self.mods.append(person)


def members_become_moderators(s):
    s.becomes_moderator("Ben", s.home)
    s.becomes_moderator("Carl", s.third)
    s.mo.stop()
    s.link = s.mo.run("invite", ROOM, "--uses", "100", "--until", "7d")["link"]
    for person in s.mods:
        person.run("sync")
        person.start("chat", ROOM).wait_line("online")


def all_let_in_at_once(s):
    nodes = [s.hub, s.home, s.third]
    failures = []

    def comes(person):
        done = subprocess.run(person.command("join", s.link, "--wait", "60"), capture_output=True, text=True, timeout=90,
                              stdin=subprocess.DEVNULL)
        if done.returncode != 0 or '"member"' not in done.stdout:
            failures.append(f"{person.name}: {done.stdout} {done.stderr}")

    for wave in range(WAVES):
        people = []
        for i in range(EACH):
            node = nodes[(wave + i) % 3]
            name = f"Guest{wave}{i}"
            people.append(s.person(name, node.ticket(name.lower(), "--uses", "1")))
        threads = [threading.Thread(target=comes, args=(person,)) for person in people]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        check(not failures, f"everybody is let in: {failures}")
        s.guests += people


def all_agree(s):
    everybody = s.mods + s.guests
    s.mods[2].running.type("welcome all")
    wait_for(lambda: any("welcome all" in line for line in s.mo.running.lines()), "Mo reads it", 30)
    for person in s.mods:
        person.stop()
    views = []
    for person in everybody:
        person.run("sync")
        members = sorted(m["person"]["key"] for m in person.run("members", ROOM))
        check(len(members) == len(set(members)) == len(everybody), f"{person.name} sees all, once: {len(members)}")
        room = next(r for r in person.run("room", "list") if r["name"] == ROOM)
        check(room["state"] == "member", f"{person.name} is in")
        views.append((members, room["epoch"]))
        log = person.run("log", ROOM)
        log = log if isinstance(log, list) else [log]
        check(not any(m["kind"] in ("refused", "gap") for m in log), f"{person.name} misses nothing")
        check("welcome all" in [m["text"] for m in log], f"{person.name} reads it")
    check(all(view == views[0] for view in views), "all have the same members at the same epoch")
    for person in s.mods:
        said = person.log.read_text()
        for word in ("frozen", "not sent", "rror"):
            check(word not in said, f"{person.name} saw no {word!r}")
    admitted = [m["sender"]["handle"] for m in s.mo.run("log", ROOM) if m["kind"] == "joined"]
    print("    let in by " + ", ".join(f"{who}: {admitted.count(who)}" for who in sorted(set(admitted))))


def the_nodes_agree(s):
    for node in s.nodes:
        node.stop()
        check("all is well" in node.hansed("check"), f"{node.domain} is well")


if __name__ == "__main__":
    sys.exit(play(Scene, [members_become_moderators, all_let_in_at_once, all_agree, the_nodes_agree], "hanse-race-"))

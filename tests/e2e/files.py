#!/usr/bin/env python3
"""Files through hub and follower, with senders, receivers and nodes that die in the middle.

DELIVERY-35, DELIVERY-39, DELIVERY-40, CLIENT-36, CLIENT-37 with real programs.
"""
import argparse
import os
import pathlib
import shutil
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from stage import Failed, Node, Person, Programs, check  # noqa: E402

ROOM = "Launch"
SIZE = 20_000_000
CANARY = os.urandom(32)


class Scene:
    def __init__(self, programs, root):
        self.programs, self.root = programs, root
        self.nodes, self.people = [], []
        self.hub, self.home = self.node("rosa.example"), self.node("kaffee.example")
        self.mo = self.person("Mo", self.hub.ticket("mo", "--role", "staff", "--handle", "mo"))
        self.mo.run("room", "create", ROOM)
        text = self.mo.run("invite", ROOM, "--uses", "50", "--until", "7d", as_json=False)
        link = next(word for word in text.split() if word.startswith("hanse:i/"))
        self.mo.start("chat", ROOM).wait_line("online")
        self.cem = self.person("Cem", self.home.ticket("customers", "--uses", "10"))
        check(self.cem.run("join", link, "--wait", "30")["state"] == "member", "Cem is in")
        self.mo.stop()
        self.file = root / "film.mp4"
        self.file.write_bytes(CANARY + os.urandom(SIZE - 64) + CANARY)

    def node(self, domain):
        self.nodes.append(Node(self.programs, self.root, domain).start())
        return self.nodes[-1]

    def person(self, name, ticket):
        self.people.append(Person(self.programs, self.root, name))
        self.people[-1].run("init", "--name", name, "--ticket", ticket)
        return self.people[-1]

    def end(self):
        for person in self.people:
            person.stop()
        for node in self.nodes:
            node.stop()

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


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--build", type=pathlib.Path, required=True)
    programs = Programs(options.parse_args().build)
    root = pathlib.Path(tempfile.mkdtemp(prefix="hanse-files-"))
    scene = None
    try:
        scene = Scene(programs, root)
        for step in (out_through_the_hub, in_through_the_follower, out_through_the_follower, nobody_reads_along):
            began = time.monotonic()
            step(scene)
            print(f"ok  {step.__name__.replace('_', ' ')} ({time.monotonic() - began:.1f} s)", flush=True)
    except Failed as failure:
        print(f"failed: {failure}\nlogs in {root}", file=sys.stderr)
        return 1
    finally:
        if scene:
            scene.end()
    shutil.rmtree(root)
    return 0


sys.exit(main())

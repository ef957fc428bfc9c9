#!/usr/bin/env python3
"""Members commit in order to lock others out, and the room goes on: real daemons, real clients.

ROOM-64, ROOM-65, CLIENT-41, CLIENT-43.
"""
import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from stage import Failed, Node, Person, Programs, check, wait_for  # noqa: E402

ROOM = "Launch"


class Scene:
    def __init__(self, programs, root, evil):
        self.programs, self.root, self.evil = programs, root, evil
        self.people = {}
        self.node = Node(programs, root, "rosa.example").start()
        self.home = Node(programs, root, "kaffee.example").start()
        self.mo = self.person("Mo", self.node.ticket("mo", "--role", "staff", "--handle", "mo"))
        self.mo.run("room", "create", ROOM)
        text = self.mo.run("invite", ROOM, "--uses", "50", "--until", "7d", as_json=False)
        self.link = next(word for word in text.split() if word.startswith("hanse:i/"))
        self.chat("Mo")
        for name in ("Ben", "Mallory", "Carl"):
            self.joins(name)

    def person(self, name, ticket):
        self.people[name] = Person(self.programs, self.root, name)
        self.people[name].run("init", "--name", name, "--ticket", ticket)
        return self.people[name]

    def joins(self, name):
        """Ben is at home with the other brand."""
        node = self.home if name == "Ben" else self.node
        person = self.person(name, node.ticket(name.lower(), "--uses", "1"))
        check(person.run("join", self.link, "--wait", "20")["state"] == "member", f"{name} is in")
        if name != "Mallory":
            self.chat(name)

    def chat(self, name):
        self.people[name].start("chat", ROOM).wait_line("online")

    def forge(self, name, kind):
        """That member's next session brings such a commit."""
        person = self.people[name]
        person.stop()
        person.run("sync")  # the commit is of the present epoch
        done = subprocess.run([self.evil, person.dir, kind], capture_output=True, text=True, timeout=60)
        check(done.returncode == 0, f"evil_commit: {done.stderr.strip()}")
        person.run("sync", expect=[0, 1])

    def says(self, name, text, to):
        self.people[name].running.type(text)
        for other in to:
            lines = self.people[other].running.lines
            wait_for(lambda: any(text in line for line in lines()), f"{other} reads {text!r}", 30)

    def voids(self):
        return self.node.log.read_text().count("commit-void")

    def end(self):
        for person in self.people.values():
            person.stop()
        for node in (self.node, self.home):
            node.stop()


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
    s.joins("Dora")
    s.says("Dora", "hello, I am new", ["Mo", "Ben", "Carl"])
    for name in ("Mo", "Ben", "Carl", "Dora"):
        s.people[name].stop()
    for name in ("Mo", "Ben", "Carl"):
        texts = [m for m in s.people[name].run("log", ROOM) if m["kind"] in ("text", "refused")]
        spoken = [m["text"] for m in texts if m["kind"] == "text"]
        check(sorted(spoken) == sorted(set(spoken)), f"{name} has each text once: {spoken}")
        for text in ("can you all read this?", "yes", "and on we go", "hello?", "hello!", "hello, I am new"):
            check(text in spoken, f"{name} has {text!r}: {spoken}")
        check(len(texts) == len(spoken), f"{name} saw nothing of it: {texts}")
        log = s.people[name].log.read_text()
        check("frozen" not in log, f"{name}'s room isn't frozen")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build"))
    args = parser.parse_args()
    build = args.build.resolve()
    root = pathlib.Path(tempfile.mkdtemp(prefix="hanse-settle-"))
    scene = None
    try:
        scene = Scene(Programs(build), root, build / "tests" / "e2e" / "evil_commit")
        for step in (one_side_of_the_tree_is_locked_out, everybody_is_locked_out, the_room_goes_on):
            step(scene)
            print(f"ok  {step.__name__.replace('_', ' ')}", flush=True)
    except Failed as failed:
        print(f"FAILED: {failed} (see {root})", file=sys.stderr)
        return 1
    finally:
        if scene:
            scene.end()
    shutil.rmtree(root)
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Daemons that never heard of each other: an invite is all that its holder's node needs, and a block wins.

FED-23, FED-24, FED-28, NODE-45, NODE-46 with real programs.
"""
import argparse
import base64
import pathlib
import shutil
import signal
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from stage import Failed, Node, Person, Programs, check, wait_for  # noqa: E402

ROOM = "Launch"


def forged(link):
    """The same link with another seed: version byte, root, seed, address behind "hanse:i/"."""
    raw = bytearray(base64.urlsafe_b64decode(link.split("/", 1)[1] + "==="))
    raw[1 + 32] ^= 1
    return "hanse:i/" + base64.urlsafe_b64encode(bytes(raw)).decode().rstrip("=")


def reload(node, rows):
    """These lines in [peers], read again by the running daemon."""
    before, _, rest = node.config.read_text().partition("[peers]")
    node.config.write_text(before + "[peers]\n" + "".join(f"{row}\n" for row in rows) + "[limits]" +
                           rest.partition("[limits]")[2])
    node.process.forget()
    node.process.process.send_signal(signal.SIGHUP)
    return node.process.wait_line(r"event=(peers-read|reload-refused).*").group(0)


class Scene:
    def __init__(self, programs, root):
        self.programs, self.root = programs, root
        self.nodes, self.people = [], []
        self.hub, self.home = self.node("rosa.example"), self.node("kaffee.example")
        self.mo = self.person("Mo", self.hub.ticket("mo", "--role", "staff", "--handle", "mo"))
        self.mo.run("room", "create", ROOM)
        text = self.mo.run("invite", ROOM, "--uses", "50", "--until", "7d", as_json=False)
        self.link = next(word for word in text.split() if word.startswith("hanse:i/"))
        self.mo.start("chat", ROOM).wait_line("online")

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

    def texts(self):
        return [line for line in self.mo.running.lines()]

    def hears(self, text, seconds=30):
        wait_for(lambda: any(text in line for line in self.mo.running.lines()), f"Mo reads {text!r}", seconds)


def an_invite_is_enough(s):
    s.cem = s.person("Cem", s.home.ticket("customers", "--uses", "10"))
    s.cem.run("join", forged(s.link), "--wait", "5", expect=[1, 3])
    check("INVITE_UNKNOWN" in s.cem.error, f"a forged invite: {s.cem.error}")
    check(s.cem.run("join", s.link, "--wait", "20")["state"] == "member", "Cem is in by the link alone")
    s.cem.run("send", ROOM, "hello from kaffee")
    s.hears("hello from kaffee")


def a_block_ends_the_session(s):
    said = reload(s.hub, ["block = kaffee.example"])
    check("rules=1" in said, said)
    s.cem.run("--timeout", "2", "send", ROOM, "nobody hears this yet", expect=[0, 4])
    check(not any("nobody hears this" in line for line in s.mo.running.lines()), "a blocked node's post is heard")
    said = reload(s.hub, ["block = Kaffee.example"])
    check("reload-refused" in said, said)
    said = reload(s.hub, [])
    check("rules=0" in said, said)
    s.hears("nobody hears this yet", 60)


def the_home_may_block_too(s):
    rows = s.home.dir / "others"
    rows.write_text("# whom we don't want\nblock rosa.example\n")
    said = reload(s.home, ["file = others"])
    check("rules=1" in said, said)
    s.cem.run("--timeout", "2", "send", ROOM, "not even sent", expect=[1, 3, 4])
    rows.write_text("")
    said = reload(s.home, ["file = others"])
    check("rules=0" in said, said)
    s.cem.run("send", ROOM, "heard again")
    s.hears("heard again", 60)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--build", type=pathlib.Path, required=True)
    programs = Programs(options.parse_args().build)
    root = pathlib.Path(tempfile.mkdtemp(prefix="hanse-peers-"))
    scene = None
    try:
        scene = Scene(programs, root)
        for step in (an_invite_is_enough, a_block_ends_the_session, the_home_may_block_too):
            step(scene)
            print(f"ok  {step.__name__.replace('_', ' ')}", flush=True)
    except Failed as failure:
        print(f"failed: {failure}\nlogs in {root}", file=sys.stderr)
        return 1
    finally:
        if scene:
            scene.end()
    shutil.rmtree(root)
    return 0


if __name__ == "__main__":
    sys.exit(main())

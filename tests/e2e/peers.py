#!/usr/bin/env python3
"""Daemons that never heard of each other: an invite is all that its holder's node needs, and a block wins.

FED-23, FED-24, FED-28, NODE-45, NODE-46 with real programs.
"""
import base64
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from stage import Brands, check, play, wait_for  # noqa: E402

ROOM = Brands.ROOM


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


if __name__ == "__main__":
    sys.exit(play(Brands, (an_invite_is_enough, a_block_ends_the_session, the_home_may_block_too), "hanse-peers-"))

#!/usr/bin/env python3
"""A brand has to make a new root: nothing is done under it until other operators approve it, its rooms and people are
taken along. FED-70, FED-71, FED-73, FED-74, NODE-96, NODE-97 with real programs and real pages."""
import pathlib
import signal
import sys
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from discovery import Page, move  # noqa: E402
from dns import NameServer  # noqa: E402
from stage import Brands, Node, check, free_port, play, wait_for  # noqa: E402

ROOM = Brands.ROOM


class Scene(Brands):
    """Cem's home allows rosa.example, whose page has shown its root."""

    def __init__(self, programs, root):
        super().__init__(programs, root)
        self.page = Page()
        self.page.path = self.hub.dir / "descriptor"
        self.metrics = free_port()
        self.dns = NameServer()
        self.home.configure("discovery", url=self.page.url, dns=self.dns.address)
        self.home.configure("peers", allow="rosa.example")
        self.home.configure("metrics", listen=f"127.0.0.1:{self.metrics}")
        self.home.restart()
        self.cem_joins()
        self.says("under the first root")

    def says(self, text):
        self.cem.run("--timeout", "30", "send", ROOM, text)
        self.hears(text, 60)

    def peer(self, node):
        root = node.root()
        return next((p for p in self.home.ask("peers")["peers"] if p["root"] == root), None)

    def standing(self, node):
        peer = self.peer(node)
        return peer and peer["standing"]

    def changes(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("hanse_root_changes "))

    def seen(self):
        return self.home.ask("peers")["roots"]


def the_page_pins_the_root(s):
    wait_for(lambda: s.standing(s.hub) == "allowed", "the page has shown the hub's root", 30)
    check(s.seen() == [] and s.changes() == 0, "nothing waits")
    said = s.home.ask("peers", "approve", "rosa.example", s.home.root(), expect=1, as_json=False)
    check("no other root" in s.home.error, s.home.error + said)


def another_root_is_shown_and_nothing_follows(s):
    """A second node of that name, with a root of its own; its page is the domain's now."""
    (s.root / "new").mkdir()
    s.new = Node(s.programs, s.root / "new", "rosa.example")
    said = s.new.hansed("renew", "--succeeds", s.hub.dir / "root.key")
    check("number 2" in said, said)
    s.nodes.append(s.new.start())
    s.page.path = s.new.dir / "descriptor"
    s.mia = s.person("Mia", s.new.ticket("mia", "--role", "staff", "--handle", "mia"))
    s.mia.run("room", "create", "Fresh")
    s.fresh = s.mia.run("invite", "Fresh", "--uses", "5", "--until", "7d")["link"]
    s.mia.start("chat", "Fresh").wait_line("online")
    s.home.restart()  # a start forgets when the page was asked last
    s.dora = s.person("Dora", s.home.ticket("dora", "--uses", "1"))
    check(s.dora.run("join", s.fresh, "--wait", "30")["state"] == "member", "an invite pins its own root")
    s.home.process.wait_line(r"event=root-changed .*kept=yes", 90)
    seen, = s.seen()
    check((seen["domain"], seen["pinned"], seen["shown"], seen["refused"], seen["blocked"], seen["vouched"]) ==
          ("rosa.example", s.hub.root(), s.new.root(), False, False, True), f"both are shown: {seen}")
    check((s.standing(s.hub), s.standing(s.new)) == ("allowed", "invited"), "each has the standing that it had")
    wait_for(lambda: s.changes() == 1, "metrics count it", 15)
    s.says("and all goes on")
    text = s.home.ask("peers", as_json=False)
    check(all(len(line) <= 100 for line in text.splitlines()), f"it fits 100 columns:\n{text}")
    check(f"{s.hub.root()[:8]} !" in text and s.hub.root() in text and s.new.root() in text, text)
    check("The known root has signed" in text, text)


def only_the_right_digits_count(s):
    for args, code, why in ((("approve", "rosa.example"), 2, "64 hex digits"),
                            (("approve", "rosa.example", s.new.root()[:16]), 2, "64 hex digits"),
                            (("allow", "rosa.example"), 2, "approve or refuse"),
                            (("approve", "Rosa.example", s.new.root()), 2, "which domain"),
                            (("approve", "rosa.example", s.home.root()), 1, "another root than this one"),
                            (("refuse", "tee.example"), 1, "no other root")):
        s.home.ask("peers", *args, expect=code, as_json=False)
        check(why in s.home.error, f"{args}: {s.home.error}")
    check(len(s.seen()) == 1 and s.standing(s.new) == "invited", "nothing was changed")


def refused_it_is_told_no_more(s):
    said = s.home.ask("peers", "refuse", "rosa.example", as_json=False)
    check(s.new.root() in said, said)
    wait_for(lambda: s.changes() == 0, "nothing waits", 15)
    check(s.seen()[0]["refused"] and s.standing(s.new) == "invited", "it stays in sight")
    s.home.restart()
    check(s.seen()[0]["refused"], "for good")


def nobody_is_dialled_where_the_domain_says(s):
    """The new root's node is somewhere else: page and DNS say where, and it isn't looked for there."""
    s.mia.stop()
    first = s.new.port
    s.home.stop()
    move(s.new)
    s.dns.srv("rosa.example", "node.rosa.example", s.new.port)
    s.dns.a("node.rosa.example", "127.0.0.1")
    s.new.start()
    s.home.start().process.wait_line(r"event=discovered page=OK addresses=1", 60)
    failures = s.peer(s.new)["failures"]
    wait_for(lambda: s.peer(s.new)["failures"] > failures + 1, "it is dialled where it was", 60)
    check(s.new.ask("status")["sessions"]["nodes"] == 0, "nobody has come")
    s.first_port = first


def approved_the_domain_is_the_new_roots(s):
    said = s.home.ask("peers", "approve", "rosa.example", s.new.root())
    check((said["decided"], said["pinned"], said["blocked"]) == ("approved", s.new.root(), False), f"{said}")
    check(s.seen() == [], "nothing waits")
    s.dora.run("--timeout", "60", "send", "Fresh", "found where the domain says")
    wait_for(lambda: s.new.ask("status")["sessions"]["nodes"] == 1, "it is dialled there", 30)
    wait_for(lambda: s.standing(s.new) == "allowed", "without a reload", 30)
    check(s.standing(s.hub) == "invited", "the former root has lost the name")
    s.new.stop()
    s.new.port = s.first_port
    s.new.address = f"127.0.0.1:{s.new.port}"
    s.new.configure("node", listen=s.new.address)
    s.new.start()
    s.home.restart()
    wait_for(lambda: (s.standing(s.hub), s.standing(s.new)) == ("invited", "allowed"), "for good", 60)
    s.says("rooms stay with the root that orders them")


def rooms_and_people_are_taken_along(s):
    """The way that node/README.md describes, with what there is."""
    s.mo.stop()
    s.mo.run("move-home", s.new.ticket("mo", "--uses", "1"), seconds=90)
    key = next(m["person"]["key"] for m in s.mo.run("members", ROOM) if m["self"])
    s.mo.run("grant", "-", text=s.new.hansed("grant", "--key", key, "--role", "staff"))
    s.mo.run("move-room", ROOM, seconds=90)
    s.mo.start("chat", ROOM).wait_line("online")
    wait_for(lambda: any(r["hub"] and not r["waits"] and r["term"] == 2 for r in s.new.ask("rooms")["rooms"]),
             "the new node orders the room", 60)
    s.hub.kill()
    s.says("and the former node isn't needed")
    check(s.cem.run("log", ROOM) != [], "what was said is there")


def a_block_stays(s):
    s.home.configure("peers", block="rosa.example")
    s.home.process.forget()
    s.home.process.process.send_signal(signal.SIGHUP)
    s.home.process.wait_line(r"event=peers-read")
    check(s.standing(s.new) == "blocked", "it is blocked")
    said = s.home.ask("peers", "approve", "rosa.example", s.new.root(), as_json=False)
    check("blocked, and stays so" in said and s.standing(s.new) == "blocked", said)


if __name__ == "__main__":
    sys.exit(play(Scene, (the_page_pins_the_root, another_root_is_shown_and_nothing_follows, only_the_right_digits_count,
                          refused_it_is_told_no_more, nobody_is_dialled_where_the_domain_says,
                          approved_the_domain_is_the_new_roots,
                          rooms_and_people_are_taken_along, a_block_stays), "hanse-roots-"))

#!/usr/bin/env python3
"""Two nodes change their keys, one after the other, and everybody goes on: who was there, who was away, who comes with
a link or a ticket from before. Whoever comes with the old keys gets nowhere.

NODE-75, NODE-76, FED-50, FED-51, FED-52, CLIENT-17 with real programs.
"""
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from stage import Brands, check, play, wait_for  # noqa: E402

ROOM = Brands.ROOM
KEYS = ("signing.key", "transport.key", "descriptor")


class Scene(Brands):
    def __init__(self, programs, root):
        super().__init__(programs, root)
        self.cem_joins()
        self.old_ticket = self.hub.ticket("late", "--uses", "5")
        self.cem.run("send", ROOM, "under the first keys")
        self.hears("under the first keys")

    def renew(self, node, *options):
        args = [self.programs.hansed, "renew", "--config", node.config, *options]
        done = subprocess.run([str(a) for a in args], capture_output=True, text=True, timeout=60)
        check(done.returncode == 0, f"hansed renew: {done.stderr}")
        return done.stdout

    def keep(self, node, name):
        """A copy of the node's keys and of what names them."""
        place = self.root / name
        place.mkdir()
        for file in KEYS:
            shutil.copy2(node.dir / file, place / file)
        return place

    def put_back(self, node, place):
        for file in KEYS:
            shutil.copy2(place / file, node.dir / file)

    def hub_of_home(self):
        return next((p for p in self.home.ask("peers")["peers"] if p["domain"] == self.hub.domain), None)

    def home_is_up(self):
        wait_for(lambda: self.hub_of_home()["state"] == "up", "the follower is back at its hub", 90)

    def home_again(self):
        """A start forgets how often the hub wasn't there, and dials at once."""
        self.home.stop()
        self.home.start()
        self.home_is_up()


def the_hub_changes_its_keys(s):
    s.first = s.keep(s.hub, "first")
    before = s.hub_of_home()["descriptor"]
    said = s.renew(s.hub, "--keys")
    check("restart" in said, f"it says what is to be done: {said}")
    check(not list(s.hub.dir.glob("*.next")), "nothing is left beside the keys")
    for file in KEYS:
        check((s.hub.dir / file).read_bytes() != (s.first / file).read_bytes(), f"{file} is new")
    check("signing.key, transport.key" in s.hub.ask("reload")["restart"], "a running node goes on with the old ones")
    s.cem.run("send", ROOM, "still under the old keys")
    s.hears("still under the old keys")
    s.hub.stop()
    s.hub.start()
    s.home_is_up()
    s.cem.run("send", ROOM, "under the new keys")
    s.hears("under the new keys")
    check(s.hub_of_home()["descriptor"] == before + 1, "the follower knows the new keys")


def devices_that_were_away_come_back(s):
    s.mo.stop()
    s.cem.run("send", ROOM, "nobody was there")
    s.renew(s.home, "--keys")
    s.home.stop()
    s.home.start()
    s.mo.start("chat", ROOM).wait_line("online")
    s.hears("nobody was there", 60)
    s.mo.running.type("from Mo")
    wait_for(lambda: any(t == "from Mo" for _, t in (s.cem.run("sync"), s.cem.texts(ROOM))[1]), "Cem reads it", 60)
    s.cem.run("send", ROOM, "with his own home's new keys")
    s.hears("with his own home's new keys", 60)


def old_links_and_tickets_lead_there(s):
    dora = s.person("Dora", s.home.ticket("more", "--uses", "5"))
    check(dora.run("join", s.link, "--wait", "30")["state"] == "member", "an old link finds the node")
    emil = s.person("Emil", s.old_ticket)
    check(emil.run("join", s.link, "--wait", "30")["state"] == "member", "an old ticket does")
    emil.run("send", ROOM, "Emil is here")
    s.hears("Emil is here")


def who_has_the_old_keys_gets_nowhere(s):
    second = s.keep(s.hub, "second")
    s.hub.stop()
    s.put_back(s.hub, s.first)
    s.hub.start()
    wait_for(lambda: "it shows keys that its root has replaced" in s.home.log.read_text(), "the follower refuses it", 90)
    check(s.hub_of_home()["state"] != "up", "and isn't connected")
    s.hub.stop()
    s.put_back(s.hub, second)
    s.hub.start()
    s.home_again()
    s.cem.run("send", ROOM, "for the true hub")
    s.hears("for the true hub", 60)


def broken_off_it_starts(s):
    """The new descriptor is there, its keys are still beside the old ones."""
    s.hub.stop()
    old = s.keep(s.hub, "third")
    s.renew(s.hub, "--keys")
    for key in ("signing.key", "transport.key"):
        (s.hub.dir / key).rename(s.hub.dir / (key + ".next"))
        shutil.copy2(old / key, s.hub.dir / key)
    s.hub.start()
    s.home_again()
    s.cem.run("send", ROOM, "on the keys beside")
    s.hears("on the keys beside", 60)
    check("number 4" in s.renew(s.hub), "the next change comes through")


def the_operator_sees_it(s):
    for command in ("peers", "rooms"):
        for node in (s.hub, s.home):
            text = node.ask(command, as_json=False)
            check(all(len(line) <= 100 for line in text.splitlines()), f"{command} fits 100 columns:\n{text}")
    text = s.hub.ask("peers", as_json=False)
    check("invited" in text and s.home.domain in text, f"standing and domain are shown:\n{text}")
    room = s.hub.ask("rooms")["rooms"][0]
    check(room["bytes"] > 1000 and room["members"] == 4, f"a room's size is shown: {room}")


sys.exit(play(Scene, (the_hub_changes_its_keys, devices_that_were_away_come_back, old_links_and_tickets_lead_there,
                      who_has_the_old_keys_gets_nowhere, broken_off_it_starts, the_operator_sees_it), "hanse-keys-"))

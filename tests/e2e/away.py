#!/usr/bin/env python3
"""Whoever was away when a room moved finds its new hub, though the old one is gone for good, and that one itself does, when it
comes back from a backup of before: FED-60 to FED-63 with three real nodes."""
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from stage import Brands, check, play, wait_for  # noqa: E402

ROOM = Brands.ROOM


class Scene(Brands):
    """Mo's room is at rosa.example, where Ben is at home; Cem is at home with kaffee.example. The two other nodes have
    never heard of each other."""

    def __init__(self, programs, root):
        super().__init__(programs, root)
        self.third = self.node("tee.example")
        self.cem_joins()
        self.ben = self.person("Ben", self.hub.ticket("ben", "--uses", "1"))
        check(self.ben.run("join", self.link, "--wait", "30")["state"] == "member", "Ben is in")
        self.mo.stop()
        self.mo.run("move-home", self.third.ticket("mo", "--uses", "1"), seconds=90)
        key = next(m["person"]["key"] for m in self.mo.run("members", ROOM) if m["self"])
        self.mo.run("grant", "-", text=self.third.hansed("grant", "--key", key, "--role", "staff"))


def in_office(node):
    return any(room["hub"] and not room["waits"] and room["term"] == 2 for room in node.ask("rooms")["rooms"])


def has(who, *texts):
    def there():
        who.run("sync")
        return {text for _, text in who.texts(ROOM)} >= set(texts)
    wait_for(there, f"{who.name} has {texts}", 60)


def the_room_moves_without_cem(s):
    has(s.cem)
    s.backup = s.root / "backup"
    s.hub.hansed("backup", "--to", s.backup)
    s.home.kill()
    s.ben.run("send", ROOM, "missed")
    s.mo.run("move-room", ROOM, seconds=90)
    wait_for(lambda: in_office(s.third), "the room is at its new hub", 30)
    wait_for(lambda: any(peer["domain"] == "kaffee.example" for peer in s.third.ask("peers")["peers"]),
             "the new hub has asked where Cem's home is")
    s.hub.kill()


def his_home_is_told(s):
    s.home.start()
    has(s.cem, "missed")
    s.cem.run("send", ROOM, "here again")
    has(s.mo, "missed", "here again")


def the_old_hub_comes_back_from_before(s):
    """FED-63: it learns that it isn't the hub any more."""
    shutil.rmtree(s.hub.dir / "store")
    s.hub.hansed("restore", "--from", s.backup)
    s.hub.start()
    wait_for(lambda: any(room["term"] == 2 and not room["hub"] and not room["waits"]
                         for room in s.hub.ask("rooms")["rooms"]), "the old hub follows the new one", 90)
    has(s.ben, "missed", "here again")
    s.ben.run("send", ROOM, "from the old hub")
    has(s.cem, "from the old hub")
    has(s.mo, "from the old hub")


if __name__ == "__main__":
    sys.exit(play(Scene, (the_room_moves_without_cem, his_home_is_told, the_old_hub_comes_back_from_before), "hanse-away-"))

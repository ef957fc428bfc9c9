#!/usr/bin/env python3
"""A customer takes everything to another home node: FED-42, FED-43, CLIENT-53, CLIENT-54, CLIENT-80, CLIENT-81 with
real programs."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from stage import Brands, Person, check, play, wait_for  # noqa: E402

ROOM = Brands.ROOM


class Scene(Brands):
    """Cem is at home with kaffee.example, and has a coupon and an order of rosa.example; kaffee.example has a room
    of its own, which he is in too."""
    ROLES = ("merchant", "staff")

    def __init__(self, programs, root):
        super().__init__(programs, root)
        self.third = self.node("tee.example")
        self.cem_joins()
        self.kim = self.person("Kim", self.home.ticket("kim", "--role", "staff", "--handle", "kim"))
        self.kim.run("room", "create", "Beans")
        link = self.kim.run("invite", "Beans", "--uses", "5", "--until", "7d")["link"]
        self.kim.start("chat", "Beans").wait_line("online")
        check(self.cem.run("join", link, "--wait", "30")["state"] == "member", "Cem is among the beans")

    def history(self, room):
        return [(m["seq"], m["text"]) for m in self.cem.run("log", room) if m["kind"] == "text"]


def he_has_a_past(s):
    s.mo.stop()
    s.mo.run("offer", ROOM, "--sku", "LIP-07", "--title", "Lipstick", "--price", "12.90", "--until", "30d")
    s.mo.run("coupon", "issue", ROOM, "--percent", "10", "--until", "14d", "--limit", "5")
    s.mo.start("chat", ROOM).wait_line("online")
    s.till = s.person("Till", s.hub.ticket("till", "--role", "till", "--handle", "till"))
    s.till.start("till", "run").wait_line("online")
    s.cem.run("sync")
    s.coupon = s.cem.run("coupon", "claim", ROOM)["coupon"]
    order = s.cem.run("order", "place", ROOM, "--offer", "LIP-07", seconds=90)
    check(order["state"] == "accepted", f"{order}")
    s.cem.run("send", ROOM, "before the move")
    s.cem.run("send", "Beans", "beans before the move")
    s.hears("before the move")
    s.before = {room: s.history(room) for room in (ROOM, "Beans")}


def a_ticket_that_is_none_changes_nothing(s):
    s.cem.run("move-home", "hanse:t/junk", expect=[1, 2, 3])
    used = s.third.ticket("once", "--uses", "1")
    Person(s.programs, s.root, "Other").run("init", "--name", "Other", "--ticket", used)
    s.cem.run("move-home", used, expect=[1, 3])
    check("TICKET_USED" in s.cem.error, s.cem.error)
    s.cem.run("send", ROOM, "still here")
    s.hears("still here")


def he_moves(s):
    s.cem.run("move-home", s.third.ticket("cem", "--uses", "1"), seconds=90)
    for room, past in s.before.items():
        check(s.history(room)[:len(past)] == past, f"all of {room} is there: {s.history(room)}")
    s.cem.run("send", ROOM, "from the new home")
    s.hears("from the new home")
    s.cem.run("send", "Beans", "beans from the new home")
    wait_for(lambda: any("beans from the new home" in line for line in s.kim.running.lines()), "Kim hears it", 30)


def the_old_home_isn_t_needed(s):
    s.kim.stop()
    s.home.kill()
    s.mo.running.type("do you hear me?")
    wait_for(lambda: "do you hear me?" in [text for _, text in s.history(ROOM)], "Cem reads on", 30)
    order = s.cem.run("order", "place", ROOM, "--offer", "LIP-07", "--coupon", s.coupon, seconds=90)
    check(order["state"] == "accepted" and order["discount"] == 129, f"the coupon came with him: {order}")
    check(len(s.cem.run("order", "show")) == 2, "and so did his orders")
    file = s.root / "order.hanse"
    s.cem.run("order", "export", order["order"], expect=2)
    s.cem.run("order", "export", order["order"], "--out", file)
    said = s.cem.run("verify", file, as_json=False)
    check("rosa.example" in said, said)


def waits(s):
    return [room["name"] for room in s.cem.run("room", "list") if room["waits"]]


def a_node_that_never_answers(s):
    away = s.node("away.example")
    ticket = away.ticket("cem", "--uses", "1")
    away.kill()
    s.cem.run("--timeout", "3", "move-home", ticket, expect=4)
    check("--back" in s.cem.run("room", "list", as_json=False), "he sees that he is between two homes")
    check(s.cem.run("move-home", "--back")["home"] == "tee.example", "he stays where he was")
    s.cem.run("move-home", "--back", expect=1)
    s.cem.run("send", ROOM, "still at tee's")
    s.hears("still at tee's")


def he_moves_on_while_a_hub_is_away(s):
    fourth = s.node("saft.example")
    moved = s.cem.run("move-home", fourth.ticket("cem", "--uses", "1"), expect=6)
    check(moved["home"] == "saft.example" and len(moved["waits"]) == 1, f"{moved}")
    check(waits(s) == ["Beans"], f"{waits(s)}")
    check("waits here" in s.cem.run("room", "list", as_json=False), "and he sees it")
    s.cem.run("--timeout", "3", "send", "Beans", "are you there?", expect=[0, 4])
    s.third.kill()
    s.cem.run("send", ROOM, "from the fourth home")
    s.hears("from the fourth home")
    fifth = s.node("wein.example")
    s.cem.run("move-home", fifth.ticket("cem", "--uses", "1"), expect=6)
    s.home.start()
    wait_for(lambda: s.cem.run("sync", "--wait", "5", expect=[0, 4, 6]) is not None and not waits(s), "Beans follow", 60)
    wait_for(lambda: "are you there?" in [text for _, text in s.history("Beans")], "what waited is out", 30)


def kim_sees(s):
    return [m["text"] for m in s.kim.run("log", "Beans") if m["kind"] == "text"]


def a_hub_that_is_gone_for_good(s):
    """CLIENT-85: what waits for it waits for ever, until he leaves the room on his device."""
    s.home.kill()
    s.cem.run("--timeout", "3", "send", "Beans", "his home has it", expect=[0, 4])
    sixth = s.node("korn.example")
    moved = s.cem.run("move-home", sixth.ticket("cem", "--uses", "1"), expect=6)
    check(len(moved["waits"]) == 1 and waits(s) == ["Beans"], f"{moved}")
    s.cem.run("--timeout", "1", "send", "Beans", "never", expect=[0, 4])
    left = s.cem.run("leave", "--here", "Beans")
    check(left["here"] and waits(s) == [], f"{left}")
    check([r["state"] for r in s.cem.run("room", "list") if r["name"] == "Beans"] == ["left"], "the room is left")
    s.cem.run("sync", seconds=60)
    check(not {"never", "his home has it"} & {text for _, text in s.history("Beans")}, "what waited is given up")
    check("beans before the move" in [text for _, text in s.history("Beans")], "the history stays")
    s.cem.run("send", "Beans", "no", expect=3)
    s.cem.run("leave", "--here", "Beans", expect=3)
    s.cem.run("leave", "--there", "Beans", expect=2)
    s.home.start()
    wait_for(lambda: s.kim.run("sync") is not None and "his home has it" in kim_sees(s), "what has gone out arrives", 60)
    wait_for(lambda: s.cem.run("sync", expect=[0, 4]) is not None and s.kim.run("sync") is not None and
             len(s.kim.run("members", "Beans")) == 1, "Kim's node hears of it when it is back", 60)
    check("never" not in kim_sees(s), "what never left him doesn't")


if __name__ == "__main__":
    sys.exit(play(Scene, (he_has_a_past, a_ticket_that_is_none_changes_nothing, he_moves, the_old_home_isn_t_needed,
                          a_node_that_never_answers, he_moves_on_while_a_hub_is_away,
                          a_hub_that_is_gone_for_good), "hanse-move-"))

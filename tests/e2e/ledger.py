#!/usr/bin/env python3
"""A brand's node is lost with a coupon claimed and redeemed behind its backup: nobody redeems it a second time.

NODE-88, NODE-98, CLIENT-83 with real programs.
"""
import json
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from stage import Brands, check, play, wait_for  # noqa: E402

ROOM = Brands.ROOM


class Scene(Brands):
    ROLES = ("merchant", "staff")

    def proofs(self):
        return json.loads(self.hub.hansed("resume", "--json")).get("proofs")


def a_shop_opens(s):
    s.till = s.person("Till", s.hub.ticket("till", "--role", "till", "--handle", "till"))
    s.till.start("till", "run").wait_line("online")
    s.ben = s.joins("Ben", s.hub)
    s.mo.stop()
    s.mo.run("offer", ROOM, "--sku", "SOAP", "--title", "Soap", "--price", "12.90", "--tax-bp", "1900", "--until", "7d")
    s.mo.run("coupon", "issue", ROOM, "--percent", "10", "--until", "14d", "--limit", "1")
    order = s.ben.run("order", "place", ROOM, "--offer", "SOAP", "--quantity", "1", seconds=60)
    check(order["state"] == "accepted", f"an order opens a counter: {order}")
    s.backup = s.root / "backup"
    s.hub.hansed("backup", "--to", s.backup)
    check(s.proofs() is None and "ledger" not in s.hub.hansed("status"), "nothing is told where nothing was restored")


def a_coupon_is_redeemed_behind_the_backup(s):
    s.coupon = s.ben.run("coupon", "claim", ROOM)["coupon"]
    order = s.ben.run("order", "place", ROOM, "--offer", "SOAP", "--quantity", "2", "--coupon", s.coupon, seconds=60)
    check(order["state"] == "accepted" and order["receipts"] == 1, f"with a receipt: {order}")


def its_node_comes_back_without_it(s):
    s.hub.stop()
    shutil.rmtree(s.hub.dir / "store")
    s.hub.hansed("restore", "--from", s.backup)
    with open(s.hub.config, "a") as config:
        config.write("\n[limits]\nrecover_seconds = 2\n")
    s.hub.start()
    said = s.hub.hansed("status")
    check("stands still since the node was restored" in said, f"the operator is told: {said}")


def the_till_shows_what_it_holds(s):
    wait_for(lambda: s.proofs()["tills_done"] == 1, "the till has shown all", 30)
    proofs = s.proofs()
    check(proofs["taken"] >= 2 and proofs["tills"] == 1 and proofs["against"] == 0, f"coupon and receipt: {proofs}")
    check("1 of 1 tills have shown all" in s.hub.hansed("status"), "and so says the status")
    s.ben.run("sync")
    s.hub.stop()
    verdict = json.loads(s.hub.hansed("check", "--json"))
    check(verdict["ok"], f"the records make the same ledger: {verdict}")
    s.hub.start()
    check(s.proofs() == proofs, "a start forgets nothing of that")


def nobody_redeems_it_again(s):
    s.mo.start("chat", ROOM).wait_line("online")
    s.ben.start("chat", ROOM).wait_line("online")
    wait_for(lambda: json.loads(s.hub.hansed("resume", "--json"))["frozen"] == 0, "the rooms go on", 30)
    s.ben.stop()
    s.hub.hansed("resume", "all")
    s.till.running.forget()
    s.ben.run("order", "place", ROOM, "--offer", "SOAP", "--quantity", "1", "--coupon", s.coupon, expect=3, seconds=60)
    wait_for(lambda: any("COUPON_USED" in line for line in s.till.running.lines()), "the ledger refuses it", 20)
    order = s.ben.run("order", "place", ROOM, "--offer", "SOAP", "--quantity", "1", seconds=60)
    check(order["state"] == "accepted", f"the shop goes on: {order}")


if __name__ == "__main__":
    sys.exit(play(Scene, (a_shop_opens, a_coupon_is_redeemed_behind_the_backup, its_node_comes_back_without_it,
                          the_till_shows_what_it_holds, nobody_redeems_it_again), "hanse-ledger-"))

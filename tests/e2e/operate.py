#!/usr/bin/env python3
"""Operating two real nodes: what their operators are told, what metrics and logs say, and what they must not say.
NODE-56, NODE-57, NODE-59"""
import json
import pathlib
import re
import signal
import sys
import threading
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import prometheus  # noqa: E402
from stage import Brands, check, free_port, play, wait_for  # noqa: E402

ROOM = "Rosa's canary room"
TEXTS = [f"canary {word}" for word in ("lipstick", "rosewood", "espresso", "ristretto")]


class Operate(Brands):
    """Moderator and customers have names that can be looked for."""
    ROOM, MODERATOR = ROOM, "Moritz"

    def __init__(self, programs, root):
        self.spec = pathlib.Path(__file__).resolve().parents[2] / "spec" / "node.md"
        super().__init__(programs, root)
        self.anna, self.cem = self.joins("Annalena", self.hub), self.joins("Cemal", self.home)
        for person, text in ((self.anna, TEXTS[0]), (self.cem, TEXTS[1]), (self.anna, TEXTS[2])):
            person.run("send", ROOM, text)
        self.hears(TEXTS[2])
        self.ids = [self.hub.root(), self.home.root(), self.hub.ask("rooms")["rooms"][0]["id"]]

    def prepare(self, node):
        node.metrics = f"127.0.0.1:{free_port()}"
        node.configure("metrics", listen=node.metrics)
        node.configure("node", log="debug", **({} if node.domain == "rosa.example" else {"log_format": "json"}))

    def figures(self, node):
        with urllib.request.urlopen(f"http://{node.metrics}/metrics", timeout=10) as answer:
            check(answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8", "the type is told")
            text = answer.read().decode()
        self.deny("metrics", text)
        samples = {}
        for family in prometheus.read(text).values():
            samples.update({name + (f"{{{labels}}}" if labels else ""): value
                            for (name, labels), value in family["samples"].items()})
        return samples

    def deny(self, where, text):
        """Nothing of what names somebody may stand there: domains, addresses, names, keys, ids, texts."""
        words = TEXTS + [ROOM, "127.0.0.1", "canary", ".example"] + [person.name for person in self.people]
        words += [str(node.port) for node in self.nodes] + self.secrets()
        for word in words:
            at = re.search(rf"(?<![0-9A-Za-z]){re.escape(word)}(?![0-9A-Za-z])" if word.isdigit() else re.escape(word),
                           text, re.I)
            check(not at, f"{where} has {word!r}: {text[max(0, at.start() - 80):at.end() + 40] if at else ''!r}")
        long = re.search(r"[0-9a-f]{16,}|[A-Za-z0-9_-]{40,}", text)
        check(not long, f"{where} has something like a key or an id: {long.group() if long else ''}")

    def secrets(self):
        """Beginnings of keys and ids, as they are shown to people."""
        return [value[:8] for value in self.ids]

    # ---- the steps ----

    def status(self):
        status = self.hub.ask("status")
        check(status["domain"] == "rosa.example" and status["incarnation"] == 1, f"{status}")
        check(status["sessions"] == {"devices": 1, "nodes": 1, "strangers": 0}, f"Mo and Kaffee: {status['sessions']}")
        check(status["rooms"] == 1 and status["records"] >= 6, f"one room: {status}")
        check(0 < status["store"]["used_bytes"] < status["store"]["soft_limit_bytes"], f"{status['store']}")
        check(not status["store"]["full"], "the store isn't full")
        self.anna.run("send", ROOM, TEXTS[3])
        pace = self.hub.ask("status")["per_second"]
        check(pace["records"] > 0 and pace["requests"] > 0 and pace["rounds"] > 0, f"{pace}")
        check(0 < pace["commit_ms"]["p50"] <= pace["commit_ms"]["p99"], f"{pace}")
        text = self.hub.ask("status", as_json=False)
        check("rosa.example, hansed" in text and "1 device, 1 node" in text and "\033" not in text, text)

    def lists(self):
        out, = self.home.ask("peers")["peers"]
        check(out["root"] == self.ids[0] and out["state"] == "up" and out["followed"], f"{out}")
        check(out["outbox"] == 0 and out["failures"] == 0 and not out["connected"], f"{out}")
        came, = self.hub.ask("peers")["peers"]
        check(came["root"] == self.ids[1] and came["connected"] and came["rooms"] == 1, f"{came}")
        check(came["standing"] == "invited" and came["other_root"] == "", f"{came}")
        check(out["domain"] == "rosa.example", f"{out}")
        room, = self.hub.ask("rooms")["rooms"]
        check(room["name"] == ROOM and room["hub"] and room["members"] == 3, f"{room}")
        check(room["followers"] == 1 and room["devices"] == 1, f"Kaffee and Mo read it: {room}")
        one, = self.hub.ask("rooms", room["id"][:7])["rooms"]
        check({home["root"]: home["members"] for home in one["homes"]} == {self.ids[0]: 2, self.ids[1]: 1}, f"{one}")
        copy, = self.home.ask("rooms")["rooms"]
        check(not copy["hub"] and copy["hub_root"] == self.ids[0] and copy["name"] == "", f"{copy}")
        text = self.hub.ask("rooms", as_json=False)
        check(len({len(line[:line.rindex("  ")]) for line in text.splitlines()[:1]}) == 1 and ROOM in text, text)
        check(room["id"][:8] in text and self.ids[1][:8] in self.hub.ask("peers", as_json=False), text)

    def hub_away(self):
        """What a follower's operator sees while the hub is away."""
        self.mo.stop()
        self.hub.stop()
        self.cem.run("--timeout", "2", "send", ROOM, "canary later", expect=4)
        peer = wait_for(lambda: next((p for p in self.home.ask("peers")["peers"] if p["state"] != "up"), None),
                        "the hub is down")
        check(peer["outbox"] == 1 and peer["since_ms"] == 0, f"{peer}")
        wait_for(lambda: sum(value for name, value in self.figures(self.home).items()
                             if name.startswith("hanse_outbox_posts")) == 1, "its metrics say that a post waits")
        self.hub.start()
        wait_for(lambda: self.home.ask("peers")["peers"][0]["outbox"] == 0, "the post has gone out", 30)

    def metrics(self):
        figures = wait_for(lambda: (f := self.figures(self.hub))['hanse_sessions{kind="node"}'] == 1 and f,
                           "the sessions are counted")
        check(figures['hanse_store_entries{kind="rooms"}'] == 1, f"{figures}")
        check(figures["hanse_requests_total"] > 10 and figures["hanse_records_total"] >= 6, f"{figures}")
        check(figures["hanse_commit_seconds_count"] > 5, f"{figures}")
        check(figures['hanse_bytes_total{direction="in"}'] > 1000, f"{figures}")
        documented = set(re.findall(r"`(hanse_[a-z_]+)", self.spec.read_text()))
        shown = {re.sub(r"(_bucket|_sum|_count)?(\{.*)?$", "", name) for name in figures} | {"hanse_refused_total"}
        check(shown == documented, f"metrics and spec/node.md differ: {shown ^ documented}")

    def reload(self):
        """NODE-61: no session ends; a mistake is named and changes nothing."""
        mo, good = self.mo, self.hub.config.read_text()
        mo.start("chat", ROOM).wait_line("online")
        before = self.hub.ask("status")
        check(self.hub.ask("reload")["restart"] == "", "nothing has changed")
        self.hub.config.write_text(good.replace("#store_gib = 64", "store_gib = 65\nconnections_burst = 1"))
        check(self.hub.ask("reload")["restart"] == "store_gib", "the store's size waits for the next start")
        self.hub.config.write_text(good + "colour = red\n")
        self.hub.ask("reload", expect=3)
        check(re.search(rf"hansed.conf:{good.count(chr(10)) + 1}: .*colour", self.hub.error), self.hub.error)
        self.hub.process.forget()
        self.hub.process.process.send_signal(signal.SIGHUP)
        self.hub.process.wait_line(r"event=reload-refused error=CONFIG line=\d+")
        self.hub.config.write_text(good.replace("log = debug", "log = error"))
        self.hub.process.process.send_signal(signal.SIGHUP)
        wait_for(lambda: self.quiet(), "the log is quiet")
        self.hub.config.write_text(good)
        self.hub.ask("reload")
        self.hub.process.wait_line("event=reloaded")
        after = self.hub.ask("status")
        check(after["sessions"] == before["sessions"] and mo.running.alive(), f"{before} {after}")
        mo.running.type("canary reloaded")
        mo.running.wait_line("canary reloaded")
        mo.stop()

    def quiet(self):
        """A session that comes and goes leaves no line."""
        self.hub.process.forget()
        self.anna.run("sync")
        return not self.hub.process.lines()

    def stop_under_load(self):
        """NODE-15: what a stopping node has read is answered, and nothing is lost or there twice."""
        anna, posts = self.anna, [f"canary {i:03d}" for i in range(150)]
        before = self.hub.ask("status")["records"]
        sender = threading.Thread(target=lambda: anna.run("--timeout", "60", "send", ROOM, "-", text="\n".join(posts)))
        sender.start()
        wait_for(lambda: self.hub.ask("status")["records"] > before + 10, "posts are under way")
        self.hub.restart()
        sender.join()
        texts = [text for _, text in anna.texts(ROOM) if re.fullmatch(r"canary \d{3}", text)]
        check(texts == posts, f"{len(texts)} of {len(posts)} posts, or not in order")

    def logs(self):
        for node in self.nodes:
            lines = [line for line in node.log.read_text().splitlines() if not line.startswith("ready ")]
            check(len(lines) > 5, f"{node.domain} logs")
            for line in lines:
                self.check_line(line, node is self.home)
            self.deny(f"the log of {node.domain}", "\n".join(lines))

    def check_line(self, line, is_json):
        """NODE-60: a time, a level, an event, pairs."""
        if is_json:
            event = json.loads(line)
            check(list(event)[:3] == ["time", "level", "event"], line)
            check(all(isinstance(value, (str, int)) for value in event.values()), line)
        else:
            check(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (error|warn|info|debug) +event=[a-z-]+"
                               r"( [a-z_]+=(\"[^\"]*\"|[^ \"=]*))*", line), line)


if __name__ == "__main__":
    sys.exit(play(Operate, (Operate.status, Operate.lists, Operate.metrics, Operate.hub_away, Operate.reload,
                            Operate.stop_under_load, Operate.logs), "hanse-operate-"))

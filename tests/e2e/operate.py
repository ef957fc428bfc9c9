#!/usr/bin/env python3
"""Operating two real nodes: what their operators are told, what metrics and logs say, and what they must not say.
NODE-56, NODE-57, NODE-59"""
import argparse
import json
import pathlib
import re
import shutil
import signal
import sys
import tempfile
import threading
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import prometheus  # noqa: E402
from stage import Failed, Node, Person, Programs, check, free_port, wait_for  # noqa: E402

ROOM = "Rosa's canary room"
TEXTS = [f"canary {word}" for word in ("lipstick", "rosewood", "espresso", "ristretto")]


class Operate:
    def __init__(self, programs, root):
        self.programs, self.root = programs, root
        self.nodes, self.people = [], {}

    def node(self, domain, **options):
        node = Node(self.programs, self.root, domain)
        node.metrics = f"127.0.0.1:{free_port()}"
        node.configure("metrics", listen=node.metrics)
        node.configure("node", log="debug", **options)
        self.nodes.append(node)
        return node.start()

    def person(self, name):
        self.people[name] = Person(self.programs, self.root, name)
        return self.people[name]

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
        words = TEXTS + [ROOM, "127.0.0.1", "canary", ".example"] + list(self.people)
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

    ids = ()

    # ---- the steps ----

    def begin(self):
        self.rosa = self.node("rosa.example")
        self.kaffee = self.node("kaffee.example", log_format="json")
        mo, anna, cem = self.person("Moritz"), self.person("Annalena"), self.person("Cemal")
        mo.run("init", "--name", mo.name, "--ticket", self.rosa.ticket("mo", "--role", "merchant", "--handle", "moritz"))
        mo.run("room", "create", ROOM)
        link = mo.run("invite", ROOM, "--uses", "50", "--until", "7d")["link"]
        mo.start("chat", ROOM).wait_line("online")
        check(anna.run("join", link, "--name", anna.name, "--wait", "20")["state"] == "member", "Anna is in")
        cem.run("init", "--name", cem.name, "--ticket", self.kaffee.ticket("customers", "--uses", "10"))
        check(cem.run("join", link, "--wait", "20")["state"] == "member", "Cem is in")
        for person, text in ((anna, TEXTS[0]), (cem, TEXTS[1]), (anna, TEXTS[2])):
            person.run("send", ROOM, text)
        mo.running.wait_line(TEXTS[2])
        rooms = self.rosa.ask("rooms")["rooms"]
        self.ids = [self.rosa.root(), self.kaffee.root(), rooms[0]["id"]]

    def status(self):
        status = self.rosa.ask("status")
        check(status["domain"] == "rosa.example" and status["incarnation"] == 1, f"{status}")
        check(status["sessions"] == {"devices": 1, "nodes": 1, "strangers": 0}, f"Mo and Kaffee: {status['sessions']}")
        check(status["rooms"] == 1 and status["records"] >= 6, f"one room: {status}")
        check(0 < status["store"]["used_bytes"] < status["store"]["soft_limit_bytes"], f"{status['store']}")
        check(not status["store"]["full"], "the store isn't full")
        self.people["Annalena"].run("send", ROOM, TEXTS[3])
        pace = self.rosa.ask("status")["per_second"]
        check(pace["records"] > 0 and pace["requests"] > 0 and pace["rounds"] > 0, f"{pace}")
        check(0 < pace["commit_ms"]["p50"] <= pace["commit_ms"]["p99"], f"{pace}")
        text = self.rosa.ask("status", as_json=False)
        check("rosa.example, hansed" in text and "1 device, 1 node" in text and "\033" not in text, text)

    def lists(self):
        out, = self.kaffee.ask("peers")["peers"]
        check(out["root"] == self.ids[0] and out["state"] == "up" and out["followed"], f"{out}")
        check(out["outbox"] == 0 and out["failures"] == 0 and not out["connected"], f"{out}")
        came, = self.rosa.ask("peers")["peers"]
        check(came["root"] == self.ids[1] and came["connected"] and came["rooms"] == 1, f"{came}")
        check(came["standing"] == "invited" and came["other_root"] == "", f"{came}")
        check(out["domain"] == "rosa.example", f"{out}")
        room, = self.rosa.ask("rooms")["rooms"]
        check(room["name"] == ROOM and room["hub"] and room["members"] == 3, f"{room}")
        check(room["followers"] == 1 and room["devices"] == 1, f"Kaffee and Mo read it: {room}")
        one, = self.rosa.ask("rooms", room["id"][:7])["rooms"]
        check({home["root"]: home["members"] for home in one["homes"]} == {self.ids[0]: 2, self.ids[1]: 1}, f"{one}")
        copy, = self.kaffee.ask("rooms")["rooms"]
        check(not copy["hub"] and copy["hub_root"] == self.ids[0] and copy["name"] == "", f"{copy}")
        text = self.rosa.ask("rooms", as_json=False)
        check(len({len(line[:line.rindex("  ")]) for line in text.splitlines()[:1]}) == 1 and ROOM in text, text)
        check(room["id"][:8] in text and self.ids[1][:8] in self.rosa.ask("peers", as_json=False), text)

    def hub_away(self):
        """What a follower's operator sees while the hub is away."""
        self.people["Moritz"].stop()
        self.rosa.stop()
        self.people["Cemal"].run("--timeout", "2", "send", ROOM, "canary later", expect=4)
        peer = wait_for(lambda: next((p for p in self.kaffee.ask("peers")["peers"] if p["state"] != "up"), None),
                        "the hub is down")
        check(peer["outbox"] == 1 and peer["since_ms"] == 0, f"{peer}")
        wait_for(lambda: sum(value for name, value in self.figures(self.kaffee).items()
                             if name.startswith("hanse_outbox_posts")) == 1, "its metrics say that a post waits")
        self.rosa.start()
        wait_for(lambda: self.kaffee.ask("peers")["peers"][0]["outbox"] == 0, "the post has gone out", 30)

    def metrics(self):
        figures = wait_for(lambda: (f := self.figures(self.rosa))['hanse_sessions{kind="node"}'] == 1 and f,
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
        mo, good = self.people["Moritz"], self.rosa.config.read_text()
        mo.start("chat", ROOM).wait_line("online")
        before = self.rosa.ask("status")
        check(self.rosa.ask("reload")["restart"] == "", "nothing has changed")
        self.rosa.config.write_text(good.replace("#store_gib = 64", "store_gib = 65\nconnections_burst = 1"))
        check(self.rosa.ask("reload")["restart"] == "store_gib", "the store's size waits for the next start")
        self.rosa.config.write_text(good + "colour = red\n")
        self.rosa.ask("reload", expect=3)
        check(re.search(rf"hansed.conf:{good.count(chr(10)) + 1}: .*colour", self.rosa.error), self.rosa.error)
        self.rosa.process.forget()
        self.rosa.process.process.send_signal(signal.SIGHUP)
        self.rosa.process.wait_line(r"event=reload-refused error=CONFIG line=\d+")
        self.rosa.config.write_text(good.replace("log = debug", "log = error"))
        self.rosa.process.process.send_signal(signal.SIGHUP)
        wait_for(lambda: self.quiet(), "the log is quiet")
        self.rosa.config.write_text(good)
        self.rosa.ask("reload")
        self.rosa.process.wait_line("event=reloaded")
        after = self.rosa.ask("status")
        check(after["sessions"] == before["sessions"] and mo.running.alive(), f"{before} {after}")
        mo.running.type("canary reloaded")
        mo.running.wait_line("canary reloaded")
        mo.stop()

    def quiet(self):
        """A session that comes and goes leaves no line."""
        self.rosa.process.forget()
        self.people["Annalena"].run("sync")
        return not self.rosa.process.lines()

    def stop_under_load(self):
        """NODE-15: what a stopping node has read is answered, and nothing is lost or there twice."""
        anna, posts = self.people["Annalena"], [f"canary {i:03d}" for i in range(150)]
        before = self.rosa.ask("status")["records"]
        sender = threading.Thread(target=lambda: anna.run("--timeout", "60", "send", ROOM, "-", text="\n".join(posts)))
        sender.start()
        wait_for(lambda: self.rosa.ask("status")["records"] > before + 10, "posts are under way")
        self.rosa.stop()
        self.rosa.start()
        sender.join()
        texts = [text for _, text in anna.texts(ROOM) if re.fullmatch(r"canary \d{3}", text)]
        check(texts == posts, f"{len(texts)} of {len(posts)} posts, or not in order")

    def logs(self):
        for node in self.nodes:
            lines = [line for line in node.log.read_text().splitlines() if not line.startswith("ready ")]
            check(len(lines) > 5, f"{node.domain} logs")
            for line in lines:
                self.check_line(line, node is self.kaffee)
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

    def run(self):
        for step in (self.begin, self.status, self.lists, self.metrics, self.hub_away, self.reload,
                     self.stop_under_load, self.logs):
            step()
            print(f"ok  {step.__name__}", flush=True)
        for node in self.nodes:
            node.stop()

    def kill_all(self):
        running = [p.running for p in self.people.values()] + [n.process for n in self.nodes]
        for process in running:
            if process and process.alive():
                process.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=pathlib.Path, required=True)
    options = parser.parse_args()
    root = pathlib.Path(tempfile.mkdtemp(prefix="hanse-operate-"))
    Operate.spec = pathlib.Path(__file__).resolve().parents[2] / "spec" / "node.md"
    scene = Operate(Programs(options.build.resolve()), root)
    try:
        scene.run()
        shutil.rmtree(root)
        return 0
    except (Failed, ValueError, OSError, KeyError) as failure:
        print(f"FAILED: {type(failure).__name__}: {failure}\nThe state is kept in {root}", file=sys.stderr)
        return 1
    finally:
        scene.kill_all()


if __name__ == "__main__":
    sys.exit(main())

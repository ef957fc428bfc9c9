#!/usr/bin/env python3
"""Devices that sleep are woken by a POST to their URL: DELIVERY-45, DELIVERY-47, DELIVERY-49, DELIVERY-67,
CLIENT-65 with real daemons and receivers on loopback.
"""
import http.server
import pathlib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from stage import Brands, check, play, wait_for  # noqa: E402

ROOM = Brands.ROOM


class Receiver:
    """A push gateway: what was asked of each path; /gone answers 410, /slow takes its time, /away redirects."""

    def __init__(self):
        self.asked = []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                receiver.asked.append((self.path, len(body)))
                if self.path == "/slow":
                    time.sleep(20)
                self.send_response({"/gone": 410, "/away": 307}.get(self.path, 200))
                if self.path == "/away":
                    self.send_header("Location", "/anna")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path):
        return f"http://127.0.0.1:{self.server.server_port}{path}"

    def count(self, path):
        return sum(1 for p, _ in self.asked if p == path)


def sleepers(s):
    """Anna and the others are served by kaffee.example, which follows rosa.example."""
    s.home.configure("wake", http="yes")
    s.home.configure("node", log="debug")
    s.home.restart()
    s.receiver = Receiver()
    for name in ("anna", "slow", "gone", "away"):
        s.joins(name.capitalize(), s.home)
    for person in s.people[1:]:
        person.run("sync")
        person.run("wake", s.receiver.url("/" + person.name.lower()))
    time.sleep(2)
    check(not s.receiver.asked, f"there is nothing new, and yet woken: {s.receiver.asked}")


def all_are_woken_once(s):
    for i in range(5):
        s.mo.running.type(f"news {i}")
    wait_for(lambda: len(s.receiver.asked) >= 4, "all are woken", 15)
    s.home.process.wait_line(r"event=wake-gone", 15)
    time.sleep(2)
    check(sorted(s.receiver.asked) == [("/anna", 0), ("/away", 0), ("/gone", 0), ("/slow", 0)],
          f"each once, with nothing: {s.receiver.asked}")
    s.people[1].run("sync")
    check(len(s.people[1].texts(ROOM)) == 5, "Anna has it all")


def what_is_gone_stays_gone(s):
    s.home.restart()
    s.mo.running.type("more news")
    wait_for(lambda: s.receiver.count("/anna") == 2 and s.receiver.count("/away") == 2, "both are woken again", 15)
    check(s.receiver.count("/gone") == 1, "who is gone is called again")


def other_urls_are_refused(s):
    anna = s.people[1]
    anna.run("wake", "ftp://127.0.0.1/x", expect=[1, 2, 3])
    s.home.configure("wake", http="no")
    s.home.restart()
    anna.run("wake", s.receiver.url("/anna"), expect=3)
    check("UNSUPPORTED" in anna.error, anna.error)
    anna.run("wake", "off")


def private_addresses_are_left_alone(s):
    s.home.configure("wake", http="yes")
    s.home.restart()
    s.people[1].run("wake", s.receiver.url("/inside"))
    s.home.configure("peers", file="others")
    (s.home.dir / "others").write_text("")
    asked = len(s.receiver.asked)
    s.home.configure("network", private="no")
    s.mo.running.type("unheard")
    s.home.restart()
    s.home.process.wait_line(r"event=woken error=DENIED", 15)
    check(s.receiver.count("/inside") == 0 and len(s.receiver.asked) <= asked + 2, f"{s.receiver.asked}")


if __name__ == "__main__":
    sys.exit(play(Brands, (sleepers, all_are_woken_once, what_is_gone_stays_gone, other_urls_are_refused,
                           private_addresses_are_left_alone), "hanse-wake-"))

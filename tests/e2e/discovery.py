#!/usr/bin/env python3
"""A hub that moves is found again: by its domain's page, and by SRV records. FED-31, FED-32, NODE-47, NODE-49, NODE-50
with real daemons, a real page and a real name server, all on loopback.
"""
import http.server
import pathlib
import signal
import sys
import threading
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from dns import NameServer  # noqa: E402
from stage import Brands, check, free_port, play  # noqa: E402

ROOM = Brands.ROOM
TYPE = "application/vnd.hanse.node-descriptor.v1+protobuf"


class Page:
    """What a web server at the domain would show: any file, with a status."""

    def __init__(self):
        self.path, self.status, self.asked = None, 200, 0
        page = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                page.asked += 1
                body = page.path.read_bytes() if page.path else b""
                self.send_response(page.status)
                if page.status == 302:
                    self.send_header("Location", page.elsewhere)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/of/%s"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def move(hub, **more):
    """The hub is somewhere else from now on."""
    hub.stop()
    hub.port = free_port()
    hub.address = f"127.0.0.1:{hub.port}"
    hub.configure("node", listen=hub.address, **more)


def the_node_shows_its_descriptor(s):
    port = free_port()
    s.hub.configure("discovery", listen=f"127.0.0.1:{port}")
    s.hub.restart()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/.well-known/hanse", timeout=5) as answer:
        check(answer.headers["Content-Type"] == TYPE, f"it is {answer.headers['Content-Type']}")
        check(answer.read() == (s.hub.dir / "descriptor").read_bytes(), "it isn't the descriptor")
    s.hub.hansed("renew", "--days", "365")
    s.hub.process.process.send_signal(signal.SIGHUP)
    s.hub.process.wait_line(r"event=reloaded")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/.well-known/hanse", timeout=5) as answer:
        check(answer.read() == (s.hub.dir / "descriptor").read_bytes(), "it isn't the renewed descriptor")


def a_hub_that_moved_is_found_by_its_page(s):
    s.page = Page()
    s.page.path = s.hub.dir / "descriptor"
    s.dns = NameServer()
    s.home.configure("discovery", url=s.page.url, dns=s.dns.address)
    s.home.restart()
    s.cem = s.person("Cem", s.home.ticket("customers", "--uses", "10"))
    s.mo.stop()
    s.mo.start("chat", ROOM).wait_line("online")
    check(s.cem.run("join", s.link, "--wait", "20")["state"] == "member", "Cem is in")
    s.cem.run("send", ROOM, "before it moves")
    s.hears("before it moves")
    s.mo.stop()
    with s.home.frozen():
        move(s.hub, advertise=s.hub.address)
        s.hub.configure("node", advertise=s.hub.address)
        s.hub.hansed("renew")
        s.hub.start()
    s.home.process.wait_line(r"event=discovered page=OK", 30)
    s.cem.run("--timeout", "30", "send", ROOM, "it has moved")
    check(s.page.asked > 0, "the page was asked")


def a_page_that_sends_elsewhere_is_not_followed(s):
    s.home.restart()
    s.page.status, s.page.elsewhere = 302, s.page.url % "elsewhere"
    asked = s.page.asked
    with s.home.frozen():
        move(s.hub)
        s.hub.start()
    s.home.process.forget()
    s.home.process.wait_line(r"event=discovered page=NOT_FOUND addresses=0", 30)
    check(s.page.asked == asked + 1, f"the page was asked {s.page.asked - asked} times")


def srv_records_say_where_it_is(s):
    s.dns.srv("rosa.example", "node.rosa.example", s.hub.port)
    s.dns.srv("rosa.example", "nowhere.rosa.example", 1, priority=10)
    s.dns.a("node.rosa.example", "127.0.0.1")
    s.home.restart()
    s.home.process.wait_line(r"event=discovered page=NOT_FOUND addresses=1", 30)
    s.cem.run("--timeout", "30", "send", ROOM, "found by DNS")
    check((33, "_hanse._tcp.rosa.example") in s.dns.asked, "the name server was asked")


def private_addresses_are_left_alone(s):
    s.home.configure("network", private="no")
    s.home.restart()
    s.home.process.wait_line(r"event=private-address-refused", 30)
    s.home.process.wait_line(r"event=discovered page=DENIED", 30)


if __name__ == "__main__":
    sys.exit(play(Brands, (the_node_shows_its_descriptor, a_hub_that_moved_is_found_by_its_page,
                           a_page_that_sends_elsewhere_is_not_followed, srv_records_say_where_it_is,
                           private_addresses_are_left_alone), "hanse-discovery-"))

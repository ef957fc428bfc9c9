#!/usr/bin/env python3
"""Two brands, one room, one coupon, one order: the product's main job with real nodes and real clients.

Every step prints what a person would see, and is checked. Run it with script/demo.
"""
import argparse
import base64
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from stage import Failed, Node, Person, Programs, Relay, check, wait_for  # noqa: E402

ROOM = "Rosa VIP"
BURST = 200
TTY = sys.stdout.isatty()


def paint(code, text):
    return f"\033[{code}m{text}\033[0m" if TTY else text


def title(number, text):
    print(f"\n{paint('1;34', f'{number}.')} {paint('1', text)}")


def says(text):
    print(f"   {text}")


def good(text):
    print(f"   {paint('32', 'ok')}  {text}")


def shown(text):
    """What a program printed, set in."""
    for line in text.rstrip("\n").splitlines():
        print(f"   {paint('2', '|')} {line}")


def relayed(link, address):
    """The same invite by another address of the hub: version byte, root, seed, address behind "hanse:i/"."""
    text = link.split("/", 1)[1]
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    raw = raw[:1 + 32 + 16] + address.encode()
    return "hanse:i/" + base64.urlsafe_b64encode(raw).decode().rstrip("=")


class Demo:
    def __init__(self, programs, root, options):
        self.programs, self.root, self.options = programs, root, options
        self.started = time.monotonic()
        self.nodes, self.people, self.relays = [], {}, []
        self.said = []
        self.deliveries = 0

    def person(self, name):
        self.people[name] = Person(self.programs, self.root, name)
        return self.people[name]

    def stop_all(self):
        for person in self.people.values():
            person.stop()
        for node in self.nodes:
            node.stop()
        for relay in self.relays:
            relay.stop()

    def kill_all(self):
        """After a failure: end what was started, without asking."""
        running = [p.running for p in self.people.values()] + [n.process for n in self.nodes]
        for process in running + [r.process for r in self.relays]:
            if process and process.alive():
                process.kill()

    # ---- the steps ----

    def nodes_start(self):
        title(1, "Two brands start their nodes")
        self.rosa = Node(self.programs, self.root, "rosa.example").start()
        self.kaffee = Node(self.programs, self.root, "kaffee.example").start()
        self.nodes = [self.rosa, self.kaffee]
        self.relay = Relay(self.programs, self.root, self.rosa.address)
        self.relays = [self.relay]
        self.wire = self.root / "wire.bin"
        self.relay.tell(f"record {self.wire}")
        for node, trade in ((self.rosa, "cosmetics"), (self.kaffee, "coffee")):
            good(f"{node.domain} ({trade}) listens on {node.address}, its data in {node.dir.name}/")
        says(f"kaffee.example will reach rosa.example through {self.relay.address}, a relay that can be told to hold.")

    def room(self):
        title(2, "Rosa's moderator Mo creates a room and an invite")
        mo = self.person("Mo")
        ticket = self.rosa.ticket("mo", "--role", "merchant", "--role", "staff", "--handle", "mo")
        me = mo.run("init", "--name", "Mo", "--ticket", ticket)
        check(me["self"]["handle"] == "mo@rosa.example", f"Mo's handle is {me['self']['handle']}")
        mo.run("room", "create", ROOM)
        text = mo.run("invite", ROOM, "--uses", "50", "--until", "7d", as_json=False)
        shown(text)
        self.link = next(word for word in text.split() if word.startswith("hanse:i/"))
        check("█" in text, "the invite shows a QR code")
        check(len(self.link) <= 160, f"the link has {len(self.link)} characters")
        good(f"room \"{ROOM}\", owned by {me['self']['handle']}; the link has {len(self.link)} characters")

    def joins(self):
        title(3, "Anna, Ben and Cem join from the link alone")
        mo, anna, ben, cem = self.people["Mo"], self.person("Anna"), self.person("Ben"), self.person("Cem")
        state = anna.run("join", self.link, "--name", "Anna", "--wait", "1", expect=6)
        check(state["state"] == "waiting", f"Anna is shown {state}")
        good("no moderator is online: Anna is shown \"waiting\" (exit code 6)")
        mo.start("chat", ROOM).wait_line("online")
        joined = anna.run("join", "--status", "--wait", "20")
        check(joined["state"] == "member", f"Anna is shown {joined}")
        good("Mo's client comes online and lets Anna in; no phone number, no e-mail: keys from her own device")
        check(ben.run("join", self.link, "--name", "Ben", "--wait", "20")["state"] == "member", "Ben is in")
        good("Ben joins at rosa.example too")
        cem.run("init", "--name", "Cem", "--ticket", self.kaffee.ticket("customers", "--uses", "10"))
        state = cem.run("join", relayed(self.link, self.relay.address), "--wait", "20")
        check(state["state"] == "member", f"Cem is shown {state}")
        anna.run("sync")
        members = anna.run("members", ROOM)
        check(len(members) == 4, f"Anna sees {len(members)} members")
        good("Cem joins from kaffee.example; the two nodes had never met, the invite was enough")
        shown(anna.run("members", ROOM, as_json=False))

    def everybody_has(self, names, expected):
        """Each of them shows the expected texts, in one order with the same numbers."""
        logs = {}
        for name in names:
            def complete(name=name):
                logs[name] = self.people[name].texts(ROOM)
                return set(expected) <= {text for _, text in logs[name]}
            wait_for(complete, f"{name} shows all of {len(expected)} messages", 30)
        first = names[0]
        common = [entry for entry in logs[first] if entry[1] in expected]
        check(len(common) == len(expected), f"{first} shows a message twice")
        for name in names[1:]:
            mine = [entry for entry in logs[name] if entry[1] in expected]
            check(mine == common, f"{name}'s order differs from {first}'s:\n{mine}\n{common}")
        self.deliveries += len(expected) * len(names)

    def chat(self):
        title(4, "They chat")
        mo = self.people["Mo"]
        lines = [("Anna", self.options.say or "Is the rosewood lipstick back?"),
                 ("Cem", "Hello from the coffee people!"), ("Ben", "Hi all"),
                 ("Mo", "It is. And there is something for you in a minute.")]
        for name, text in lines:
            if name == "Mo":
                mo.running.type(text)
                mo.running.wait_line(r"Mo|mo@.*something for you")
            else:
                self.people[name].run("send", ROOM, text)
        texts = [text for _, text in lines]
        mo.stop()
        self.everybody_has(["Anna", "Ben", "Cem", "Mo"], texts)
        self.said += texts
        shown(self.people["Cem"].run("log", ROOM, as_json=False))
        good("all four show the same messages in the same order; Cem's came and went through his own node")
        for node in self.nodes:
            for text in texts:
                check(not node.holds(text.encode()), f"{node.domain} holds the text {text!r}")
        recorded = self.wire.read_bytes()
        check(len(recorded) > 1000, "the relay records what goes between the nodes")
        check(not any(text.encode() in recorded for text in texts), "the wire between the nodes carries a text")
        good("no node holds a word of it, nor does the wire between them: it is all ciphertext")

    def trade(self):
        title(5, "An offer, a coupon, two orders")
        mo, anna, cem = self.people["Mo"], self.people["Anna"], self.people["Cem"]
        mo.run("offer", ROOM, "--sku", "LIP-07", "--title", "Lipstick Rosewood", "--price", "12.90", "--tax-bp",
               "1900", "--until", "30d")
        mo.run("coupon", "issue", ROOM, "--percent", "10", "--until", "14d", "--limit", "100")
        till = self.person("Till")
        till.run("init", "--name", "Till", "--ticket", self.rosa.ticket("till", "--role", "till", "--handle", "till"))
        till.start("till", "run").wait_line("online")
        good("Mo signs an offer (12.90 EUR) and a coupon (10 %, one per customer); Rosa's till is online")
        self.orders = {}
        for person in (anna, cem):
            person.run("sync")
            coupon = person.run("coupon", "claim", ROOM)
            order = person.run("order", "place", ROOM, "--offer", "LIP-07", "--quantity", "2", "--coupon",
                               coupon["coupon"], seconds=90)
            check(order["state"] == "accepted", f"{person.name}'s order is {order}")
            check((order["subtotal"], order["discount"], order["total"]) == (2580, 258, 2322), f"prices: {order}")
            check(order["receipts"] == 1, "the acceptance carries the ledger's receipt")
            self.orders[person.name] = order["order"]
            good(f"{person.name} claims coupon number {coupon['unit']} and orders 2: 25.80 - 2.58 = 23.22 EUR, accepted")
            person.run("order", "place", ROOM, "--offer", "LIP-07", "--coupon", coupon["coupon"], expect=3,
                       seconds=90)
            check("COUPON_USED" in person.error, f"the reason is given: {person.error}")
            check(any("COUPON_USED" in line for line in till.running.lines()), "it was the ledger that refused it")
            till.running.forget()
            good(f"{person.name} tries the coupon again: refused by the ledger [COUPON_USED]")
        shown(anna.run("order", "show", self.orders["Anna"], as_json=False))
        shown("\n".join(till.running.lines()[-6:]))

    def removal(self):
        title(6, "Ben is removed")
        mo, anna, ben, cem = (self.people[n] for n in ("Mo", "Anna", "Ben", "Cem"))
        ben.run("sync")
        thief = self.person("Ben-before")
        shutil.copytree(ben.dir, thief.dir)
        mo.run("remove", ROOM, "Ben")
        secret = "The next launch is on the third of May"
        anna.run("send", ROOM, secret)
        self.said.append(secret)
        self.everybody_has(["Anna", "Cem", "Mo"], [secret])
        for who, what in ((ben, "Ben"), (thief, "a copy of Ben's old state")):
            seen = who.run("log", ROOM)
            check(secret not in [m["text"] for m in seen], f"{what} reads what follows the removal")
        ben.run("send", ROOM, "Let me back in", expect=[1, 3])
        members = {m["person"]["name"] for m in anna.run("members", ROOM)}
        check("Ben" not in members, f"the room has {members}")
        good("what follows is for Anna, Cem and Mo; neither Ben nor a copy of his old state can read it")

    def crash(self):
        title(7, f"Kaffee's node dies with {BURST} posts in flight")
        anna, cem = self.people["Anna"], self.people["Cem"]
        posts = [f"post {i:03d} of {BURST}" for i in range(1, BURST + 1)]
        errors = []

        def send():
            done = subprocess.run(anna.command("--timeout", "60", "send", ROOM, "-"), input="\n".join(posts),
                                  capture_output=True, text=True, timeout=90)
            if done.returncode != 0:
                errors.append(done.stderr)

        def to_kaffee():
            return int(next(w.split("=")[1] for w in self.relay.tell("stats").split() if w.startswith("s2c=")))

        before = to_kaffee()
        self.relay.tell("hold c2s")
        sender = threading.Thread(target=send)
        sender.start()
        wait_for(lambda: to_kaffee() > before + 20000, "records on their way to kaffee.example", 30)
        self.kaffee.kill()
        says("The relay holds Kaffee's acknowledgements back; Kaffee's node is killed with SIGKILL at that moment.")
        self.relay.tell("release")
        self.kaffee.start()
        sender.join()
        check(not errors, f"Anna's posts: {errors}")
        wait_for(lambda: len([t for _, t in cem.texts(ROOM) if t in posts]) >= BURST, "Cem shows all posts", 60)
        mine = [(seq, text) for seq, text in cem.texts(ROOM) if text in posts]
        check([text for _, text in mine] == posts, "Cem shows every post, once, in order")
        check(mine == [(s, t) for s, t in anna.texts(ROOM) if t in posts], "with the same numbers as Anna")
        self.said += posts
        self.deliveries += 2 * BURST
        good(f"restarted, it goes on where it stood: Cem has all {BURST}, each once, in order")

    def proof(self):
        title(8, "Anybody can check the order, offline")
        file = self.root / "order.hanse"
        anna = self.people["Anna"]
        anna.run("order", "export", self.orders["Anna"], "--out", file)
        alone = self.isolated()
        report = subprocess.run([*alone, self.programs.hanse, "verify", file], capture_output=True, text=True,
                                timeout=30, env={"HOME": "/nonexistent", "TZ": "UTC"})
        check(report.returncode == 0, f"verify: {report.stderr}")
        shown(report.stdout)
        good("signatures, grants, prices and receipt hold; no network, no data directory" if alone else
             "signatures, grants, prices and receipt hold; no data directory")
        original = file.read_bytes()
        seed = random.randrange(1 << 32)
        dice = random.Random(seed)
        bits = dice.sample(range(len(original) * 8), 64)
        folder = self.root / "altered"
        folder.mkdir()
        for bit in bits:
            altered = bytearray(original)
            altered[bit // 8] ^= 1 << (bit % 8)
            path = folder / f"{bit}.hanse"
            path.write_bytes(altered)
            done = subprocess.run([self.programs.hanse, "verify", path], capture_output=True, timeout=30)
            check(done.returncode == 5, f"bit {bit} altered (seed {seed}): exit {done.returncode}")
        shutil.rmtree(folder)
        good(f"{len(bits)} copies with one bit altered (seed {seed}): every one is refused")

    def isolated(self):
        """The words that run a command in an empty network namespace, where this machine allows it."""
        for words in (["unshare", "--net"], ["unshare", "--user", "--map-root-user", "--net"]):
            if shutil.which("unshare") and subprocess.run([*words, "true"], capture_output=True).returncode == 0:
                return words
        says("(this machine allows no network namespaces: verified without one)")
        return []

    def figures(self):
        title(9, "Figures")
        records = max(seq for seq, _ in self.people["Anna"].texts(ROOM)) + 1
        print(f"   {'messages':<36}{len(self.said)}")
        print(f"   {'deliveries that were checked':<36}{self.deliveries}")
        print(f"   {'records in the room log':<36}{records}")
        for node in self.nodes:
            print(f"   {'on the disk of ' + node.domain:<36}{node.stored_bytes() / 1024:.0f} KiB")
        print(f"   {'time':<36}{time.monotonic() - self.started:.1f} s")

    def run(self):
        for step in (self.nodes_start, self.room, self.joins, self.chat, self.trade, self.removal, self.crash,
                     self.proof, self.figures):
            step()

    def farewell(self):
        if not self.options.keep:
            print("\nNext: script/demo --keep leaves the nodes up, so that you can chat yourself; README.md says how to\n"
                  "run a node of your own.")
            return
        mo = self.people["Mo"]
        mo.start("serve")
        running = [self.rosa.process, self.kaffee.process, mo.running, self.people["Till"].running,
                   self.relay.process]
        hanse = self.programs.hanse
        print(f"""
The nodes stay up. In a second terminal, be Anna:

  {hanse} --dir {self.people['Anna'].dir} chat '{ROOM}'

and in a third one somebody new, whom Mo's client lets in:

  {hanse} --dir {self.root}/you join '{self.link}' --name You
  {hanse} --dir {self.root}/you chat '{ROOM}'

To end it: kill {' '.join(str(p.process.pid) for p in running)}
""")


def main():
    parser = argparse.ArgumentParser(prog="script/demo", description=__doc__.split("\n\n")[0],
                                     epilog="example: script/demo --dir /tmp/hanse-demo --say 'find me if you can'")
    parser.add_argument("--build", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--keep", action="store_true", help="leave the nodes up and say how to chat oneself")
    parser.add_argument("--dir", type=pathlib.Path, help="put all state there (an empty or new folder)")
    parser.add_argument("--say", metavar="TEXT", help="what Anna says in step 4: look for it in the nodes' files")
    options = parser.parse_args()
    if options.dir:
        options.dir.mkdir(parents=True, exist_ok=True)
        if any(options.dir.iterdir()):
            parser.error(f"{options.dir} isn't empty")
        root = options.dir.resolve()
    else:
        root = pathlib.Path(tempfile.mkdtemp(prefix="hanse-demo-"))
    demo = None
    try:
        demo = Demo(Programs(options.build.resolve()), root, options)
        demo.run()
        demo.farewell()
        if not options.keep:
            demo.stop_all()
        if not options.keep and not options.dir:
            shutil.rmtree(root)
        return 0
    except (Failed, subprocess.TimeoutExpired, KeyboardInterrupt) as failure:
        print(f"\n{paint('1;31', 'FAILED')}: {failure}\nThe state is kept in {root}", file=sys.stderr)
        if demo:
            demo.kill_all()
        return 1


if __name__ == "__main__":
    sys.exit(main())

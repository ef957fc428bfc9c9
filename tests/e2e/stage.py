"""Real programs for whole-system tests: nodes, people and a relay as processes of their own.

Every process is started here and ended here, by its own handle. All state is under one folder.
"""
import argparse
import json
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time


class Failed(Exception):
    """A step didn't come out as it must."""


def check(condition, what):
    if not condition:
        raise Failed(what)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(condition, what, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise Failed(f"waited {seconds} s for: {what}")


class Process:
    """A running program. What it prints goes into a file, so that it can outlive the script; lines can be waited
    for."""

    def __init__(self, args, log, stdin=subprocess.DEVNULL):
        self.args = [str(a) for a in args]
        self.path = pathlib.Path(log)
        self.log = open(self.path, "ab")
        self.start = self.path.stat().st_size
        self.process = subprocess.Popen(self.args, stdin=stdin, stdout=self.log, stderr=self.log, text=True,
                                        start_new_session=True)

    def lines(self):
        with open(self.path, "rb") as file:
            file.seek(self.start)
            return file.read().decode(errors="replace").splitlines()

    def wait_line(self, pattern, seconds=20):
        """The match of the first line, past or future, that fits the pattern."""
        def found():
            alive = self.alive()
            for line in self.lines():
                match = re.search(pattern, line)
                if match:
                    return match
            check(alive, f"{self.args[0]} ended early with {self.process.returncode}, see {self.path}")
            return None
        return wait_for(found, f"a line like {pattern!r} in {self.path}", seconds)

    def forget(self):
        """Only what is printed from now on counts."""
        self.start = self.path.stat().st_size

    def type(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def alive(self):
        return self.process.poll() is None

    def kill(self):
        self.process.kill()
        self.process.wait()
        self._close()

    def stop(self, seconds=10):
        """Asks the program to end and gives its exit code."""
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failed(f"{self.args[0]} didn't end within {seconds} s of SIGTERM, see {self.path}")
        self._close()
        return self.process.returncode

    def _close(self):
        for stream in (self.process.stdin, self.log):
            if stream:
                stream.close()


class Frozen:
    def __init__(self, process):
        self.process = process

    def __enter__(self):
        self.process.send_signal(signal.SIGSTOP)

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGCONT)


class Programs:
    """Where the build put them."""

    def __init__(self, build):
        self.build = build
        self.hansed = build / "node" / "hansed"
        self.hanse = build / "client" / "hanse"
        self.relay = build / "tests" / "e2e" / "relay"
        for program in (self.hansed, self.hanse):
            check(program.exists(), f"{program} isn't built")


class Node:
    """One brand's hansed with its own configuration file and data directory."""

    def __init__(self, programs, root, domain, advertise=None):
        self.programs, self.domain = programs, domain
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.dir = root / domain
        self.log = root / f"{domain}.log"
        args = [programs.hansed, "init", "--domain", domain, "--dir", self.dir, "--listen", self.address,
                "--advertise", advertise or self.address, "--owner", domain.split(".")[0]]
        self._run(args)
        self.config = self.dir / "hansed.conf"
        self.process = None

    def _run(self, args):
        done = subprocess.run([str(a) for a in args], capture_output=True, text=True, timeout=60)
        check(done.returncode == 0, f"{' '.join(map(str, args[:2]))}: {done.stderr.strip()}")
        return done.stdout

    def start(self):
        self.process = Process([self.programs.hansed, "--config", self.config], self.log)
        self.process.wait_line(r"^ready ")
        return self

    def stop(self):
        if self.process:
            self.process.stop()
            self.process = None

    def kill(self):
        self.process.kill()
        self.process = None

    def owner_ticket(self):
        return self.dir / "owner.ticket"

    def restart(self):
        self.stop()
        return self.start()

    def configure(self, section, **values):
        """These keys in a section that is there or not; they count from the next start on."""
        head = f"[{section}]\n"
        before, found, rest = self.config.read_text().partition(head)
        own, next_head, after = rest.partition("\n[")
        for key in values:
            own = re.sub(rf"^{key} = .*\n?", "", own, flags=re.M)
        own = "".join(f"{key} = {value}\n" for key, value in values.items()) + own
        self.config.write_text(before + ("" if found else "\n") + head + own + next_head + after)

    def frozen(self):
        """A context in which the node sees nothing of what happens."""
        return Frozen(self.process.process)

    def hansed(self, command, *options, expect=0):
        """A command of the daemon's program about this node: what it says."""
        args = [self.programs.hansed, command, "--config", self.config, *options]
        done = subprocess.run([str(a) for a in args], capture_output=True, text=True, timeout=60)
        check(done.returncode == expect, f"hansed {command}: exit {done.returncode}, expected {expect}: "
              f"{done.stdout.strip()} {done.stderr.strip()}")
        return done.stdout if expect == 0 else done.stderr + done.stdout

    def ask(self, command, *args, expect=0, as_json=True):
        """What the running node says to its operator."""
        words = [self.programs.hansed, command, *args, "--config", self.config] + (["--json"] if as_json else [])
        done = subprocess.run([str(w) for w in words], capture_output=True, text=True, timeout=60)
        check(done.returncode == expect, f"hansed {command}: exit {done.returncode}: {done.stderr.strip()}")
        self.error = done.stderr.strip()
        return json.loads(done.stdout) if as_json and expect == 0 else done.stdout

    def root(self):
        return self.ask("status")["root"]

    def ticket(self, name, *options):
        path = self.dir / f"{name}.ticket"
        self._run([self.programs.hansed, "ticket", "--config", self.config, "--out", path, *options])
        return path

    def stored_bytes(self):
        return sum(f.stat().st_blocks * 512 for f in self.dir.rglob("*") if f.is_file())

    def holds(self, needle):
        """True where the bytes stand in any of the node's files."""
        return any(needle in f.read_bytes() for f in [*self.dir.rglob("*"), self.log] if f.is_file())


class Copy(Node):
    """The files of a node elsewhere: its configuration and keys, and what else is named."""

    def __init__(self, node, directory, *more):
        self.programs, self.domain, self.port, self.address = node.programs, node.domain, node.port, node.address
        self.dir, self.config, self.log = directory, directory / "hansed.conf", directory / "log"
        self.process = None
        directory.mkdir()
        for name in ("hansed.conf", "descriptor", "signing.key", "transport.key", "incarnation", *more):
            if (node.dir / name).is_dir():
                shutil.copytree(node.dir / name, directory / name)
            else:
                shutil.copy2(node.dir / name, directory / name)
        self.config.write_text(self.config.read_text().replace(str(node.dir), str(directory)))


class Person:
    """One device: a data directory and the command line."""

    def __init__(self, programs, root, name):
        self.programs, self.name = programs, name
        self.dir = root / name.lower()
        self.log = root / f"{name.lower()}.log"
        self.running = None

    def command(self, *args, as_json=True):
        options = ["--dir", self.dir] + (["--json"] if as_json else [])
        return [str(a) for a in [self.programs.hanse, *options, *args]]

    def run(self, *args, expect=0, seconds=60, as_json=True, text=None):
        """Runs one command to its end; gives its JSON (or its text)."""
        done = subprocess.run(self.command(*args, as_json=as_json), capture_output=True, text=True,
                              timeout=seconds, **({"input": text} if text else {"stdin": subprocess.DEVNULL}))
        wanted = expect if isinstance(expect, (list, tuple)) else [expect]
        check(done.returncode in wanted, f"{self.name}: hanse {' '.join(map(str, args))}: exit {done.returncode}, "
              f"expected {expect}: {done.stderr.strip() or done.stdout.strip()}")
        self.error = done.stderr.strip()
        if not as_json:
            return done.stdout
        lines = [line for line in done.stdout.splitlines() if line.strip()]
        if not lines:
            return {}
        try:
            return json.loads(done.stdout)
        except json.JSONDecodeError:
            return [json.loads(line) for line in lines]

    def texts(self, room, *options):
        """(seq, text) of every text message that this device shows."""
        return [(m["seq"], m["text"]) for m in self.run("log", room, *options) if m["kind"] == "text"]

    def start(self, *args, as_json=False):
        """Leaves a command running (chat, till run)."""
        check(self.running is None, f"{self.name} runs something already")
        self.running = Process(self.command(*args, as_json=as_json), self.log, stdin=subprocess.PIPE)
        return self.running

    def stop(self):
        if self.running:
            self.running.stop()
            self.running = None


class Relay:
    """A TCP relay between two nodes that can hold one direction back."""

    def __init__(self, programs, root, to):
        self.control = root / "relay.sock"
        self.process = Process([programs.relay, "--listen", "127.0.0.1:0", "--to", to, "--control", self.control],
                               root / "relay.log")
        self.port = int(self.process.wait_line(r"port[= ](\d+)").group(1))
        self.address = f"127.0.0.1:{self.port}"

    def tell(self, command):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
            s.settimeout(5)
            s.connect(str(self.control))
            s.sendall(command.encode() + b"\n")
            return s.recv(4096).decode().strip()

    def stop(self):
        self.process.stop()


class Brands:
    """Two brands: a hub whose moderator Mo keeps a room and its chat open, and another node; more as steps want them."""
    ROOM, MODERATOR, ROLES = "Launch", "Mo", ("staff",)

    def __init__(self, programs, root):
        self.programs, self.root = programs, root
        self.nodes, self.people = [], []
        self.hub, self.home = self.node("rosa.example"), self.node("kaffee.example")
        handle = self.MODERATOR.lower()
        roles = [word for role in self.ROLES for word in ("--role", role)]
        self.mo = self.person(self.MODERATOR, self.hub.ticket(handle, "--handle", handle, *roles))
        self.mo.run("room", "create", self.ROOM)
        self.link = self.mo.run("invite", self.ROOM, "--uses", "50", "--until", "7d")["link"]
        self.mo.start("chat", self.ROOM).wait_line("online")

    def node(self, domain):
        self.nodes.append(Node(self.programs, self.root, domain))
        self.prepare(self.nodes[-1])
        return self.nodes[-1].start()

    def prepare(self, node):
        """What a scene configures before a node's first start."""

    def person(self, name, ticket):
        self.people.append(Person(self.programs, self.root, name))
        self.people[-1].run("init", "--name", name, "--ticket", ticket)
        return self.people[-1]

    def cem_joins(self):
        """A customer at home with the other brand."""
        self.cem = self.person("Cem", self.home.ticket("customers", "--uses", "10"))
        check(self.cem.run("join", self.link, "--wait", "30")["state"] == "member", "Cem is in")

    def joins(self, name, node, *options):
        """Somebody at home there comes in by the link."""
        person = self.person(name, node.ticket(name.lower(), "--uses", "1", *options))
        check(person.run("join", self.link, "--wait", "30")["state"] == "member", f"{name} is in")
        return person

    def hears(self, text, seconds=30):
        wait_for(lambda: any(text in line for line in self.mo.running.lines()), f"Mo reads {text!r}", seconds)

    def end(self):
        for person in self.people:
            person.stop()
        for node in self.nodes:
            node.stop()


def play(scene_of, steps, prefix):
    """The steps on one scene, with programs of --build; their files stay where one has failed. The exit code."""
    check(all(step.__module__ == "__main__" for step in steps), "these steps are another program's")
    options = argparse.ArgumentParser()
    options.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build"))
    programs = Programs(options.parse_args().build.resolve())
    root = pathlib.Path(tempfile.mkdtemp(prefix=prefix))
    scene = None
    try:
        scene = scene_of(programs, root)
        for step in steps:
            began = time.monotonic()
            step(scene)
            print(f"ok  {step.__name__.replace('_', ' ')} ({time.monotonic() - began:.1f} s)", flush=True)
    except Failed as failure:
        print(f"failed: {failure}\nlogs in {root}", file=sys.stderr)
        return 1
    finally:
        if scene:
            scene.end()
    shutil.rmtree(root)
    return 0

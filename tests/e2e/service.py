#!/usr/bin/env python3
"""The node as a service: what it tells its manager, that the unit confines it as it says, and that the node works
within such bounds. NODE-62, NODE-63"""
import argparse
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from stage import Failed, Process, check, free_port, wait_for  # noqa: E402

EXPOSURE = 1.5
SKIPPED = []


def skip(what, why):
    SKIPPED.append(what)
    print(f"--  {what} skipped: {why}", flush=True)


def done(what):
    print(f"ok  {what}", flush=True)


def run(*words, **options):
    return subprocess.run([str(w) for w in words], capture_output=True, text=True, timeout=60, **options)


def init(hansed, folder, prefix=()):
    made = run(*prefix, hansed, "init", "--domain", "rosa.example", "--dir", folder, "--listen",
               f"127.0.0.1:{free_port()}", "--advertise", "rosa.example:7700")
    check(made.returncode == 0, made.stderr)
    return folder / "hansed.conf"


def notifications(hansed, root):
    """READY when it serves, pings while it goes on, STOPPING at the end."""
    config = init(hansed, root / "notify")
    path = root / "notify.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(20)
        env = {**os.environ, "NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "2000000"}
        node = subprocess.Popen([hansed, "--config", config], env=env, stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)
        try:
            check(manager.recv(200).decode().split("\n")[0] == "READY=1", "the node says that it is ready")
            for _ in range(2):
                check(manager.recv(200) == b"WATCHDOG=1", "the node pings")
            node.send_signal(signal.SIGTERM)
            said = []
            while b"STOPPING=1" not in said:
                said.append(manager.recv(200))
            check(node.wait(20) == 0, "it ends well")
        finally:
            if node.poll() is None:
                node.kill()
                node.wait()
    done("notifications")


def exposure(unit):
    if not shutil.which("systemd-analyze"):
        return skip("exposure", "systemd-analyze is missing")
    said = run("systemd-analyze", "security", "--offline=yes", unit)
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", said.stdout)
    check(found, said.stderr or said.stdout)
    check(float(found.group(1)) <= EXPOSURE, f"the unit's exposure is {found.group(1)}")
    return done(f"exposure {found.group(1)}")


def allowed_calls():
    """The system calls of SystemCallFilter, as this systemd knows them."""
    def of(name):
        calls = set()
        for line in run("systemd-analyze", "syscall-filter", name).stdout.splitlines()[1:]:
            word = line.strip()
            if word.startswith("@"):
                calls |= of(word)
            elif word and not word.startswith("#"):
                calls.add(word)
        return calls
    return of("@system-service") - of("@privileged") - of("@resources")


def system_calls(hansed, root):
    """A node that serves, is asked, reloads and stops makes no call that the unit forbids."""
    trace = root / "trace"
    if not shutil.which("strace") or not shutil.which("systemd-analyze"):
        return skip("system calls", "strace or systemd-analyze is missing")
    if run("strace", "-o", trace, "true").returncode != 0:
        return skip("system calls", "this machine allows no tracing")
    config = init(hansed, root / "traced")
    port = free_port()
    with open(config, "a") as file:
        file.write(f"[metrics]\nlisten = 127.0.0.1:{port}\n")
    node = Process(["strace", "-f", "-o", trace, hansed, "--config", config], root / "traced.log")
    try:
        listen = node.wait_line(r"^ready .* listen=127.0.0.1:(\d+)").group(1)
        for command in ("status", "peers", "rooms", "reload"):
            check(run(hansed, command, "--config", config).returncode == 0, command)
        for number in (listen, port):
            with socket.create_connection(("127.0.0.1", number), 10) as there:
                there.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
                there.recv(1000)
        time.sleep(1.2)  # a tick
        child = int(trace.read_text().split()[0])
        os.kill(child, signal.SIGHUP)
        node.wait_line("event=reloaded")
        os.kill(child, signal.SIGTERM)
        wait_for(lambda: not node.alive(), "the end of the node")
    finally:
        if node.alive():
            node.kill()
    calls = set(re.findall(r"^\d+ +(\w+)\(", trace.read_text(), re.M))
    forbidden = calls - allowed_calls()
    # The limits are the unit's own affair; the node asks for them, and goes on where that is denied.
    check(forbidden <= {"setrlimit", "prlimit64"}, f"the unit forbids {sorted(forbidden)}")
    check({"fdatasync", "accept4", "sendto"} & calls, f"the trace is of the node: {sorted(calls)}")
    return done(f"system calls: {len(calls)} kinds, denied without harm: {', '.join(sorted(forbidden)) or 'none'}")


CONFINED = r"""
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /tmp_of_node 2>/dev/null || true
mount --bind "$1" "$1"
mount -o remount,bind,ro /
mount -t proc -o hidepid=invisible,subset=pid proc /proc 2>/dev/null || true
shift
exec setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all "$@"
"""


def confined(hansed, root):
    """All read-only but its own directory, another user, no capability, no new privileges."""
    data = root / "confined"
    data.mkdir(mode=0o700)
    words = ["unshare", "--mount", "sh", "-c", CONFINED, "sh", data]
    if os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("setpriv"):
        return skip("confined", "it needs root, unshare and setpriv")
    os.chown(data, 65534, 65534)
    os.chmod(root, 0o711)
    if run(*words, "true").returncode != 0:
        return skip("confined", "this machine allows no mounts")
    check(run(*words, "touch", "/var/x").returncode != 0, "the rest is read-only")
    config = init(hansed, data / "node", prefix=words)
    node = Process([*words, hansed, "--config", config], root / "confined.log")
    try:
        node.wait_line("^ready ")
        asked = run(*words, hansed, "status", "--config", config)
        check(asked.returncode == 0 and "rosa.example, hansed" in asked.stdout, asked.stderr)
        lines = "\n".join(node.lines())
        check("warn" not in lines and "error" not in lines, lines)
        check(node.stop() == 0, "it ends well")
    finally:
        if node.alive():
            node.kill()
    return done("confined")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=pathlib.Path, required=True)
    options = parser.parse_args()
    build = options.build.resolve()
    hansed, unit = build / "node" / "hansed", build / "node" / "hansed.service"
    root = pathlib.Path(tempfile.mkdtemp(prefix="hanse-service-"))
    try:
        notifications(hansed, root)
        exposure(unit)
        system_calls(hansed, root)
        confined(hansed, root)
        shutil.rmtree(root)
        return 0
    except (Failed, OSError) as failure:
        print(f"FAILED: {failure}\nThe state is kept in {root}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""A node is backed up while it runs, checked, lost, and restored: its people go on where they were.

DELIVERY-66, NODE-31, NODE-77, NODE-32, NODE-33, NODE-34, NODE-71, NODE-72, NODE-87, FED-68 with real programs.
"""
import json
import os
import pathlib
import shutil
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from stage import Brands, Copy, check, play, wait_for  # noqa: E402

ROOM = Brands.ROOM


class Scene(Brands):
    def __init__(self, programs, root):
        super().__init__(programs, root)
        self.backup = root / "backup"
        self.cem_joins()


def hashes(directory):
    return {f.name for f in directory.glob("*/*") if f.is_file()}


def a_running_node_is_backed_up(s):
    s.film = s.root / "film"
    s.film.write_bytes(os.urandom(300_000))
    s.film_seq = s.cem.run("send", ROOM, "--file", s.film)["seq"]
    s.hears("film")
    for i in range(20):
        s.cem.run("send", ROOM, f"before {i}")
    s.hears("before 19")
    said = s.hub.hansed("backup", "--to", s.backup)
    s.cem.run("send", ROOM, "behind the backup")
    s.hears("behind the backup")
    s.dora = s.joins("Dora", s.home)
    s.dora.run("send", ROOM, "let in behind the backup")
    s.hears("let in behind the backup")
    check("records of rosa.example" in said and "1 attachment, 1 new" in said, f"it says what it holds: {said}")
    s.blobs = s.root / "backup.blobs"
    check(hashes(s.blobs) == hashes(s.hub.dir / "store" / "blobs") and len(hashes(s.blobs)) == 1, "the attachment is there")
    check(s.backup.stat().st_mode & 0o777 == 0o600, "only its owner may read a backup")
    content = s.backup.read_bytes()
    for key in ("signing.key", "transport.key", "root.key"):
        seed = bytes.fromhex((s.hub.dir / key).read_text().strip())
        check(seed not in content, f"{key} isn't in the backup")
    check(b"before 19" not in content, "a backup shows no posts")
    check("there already" in s.hub.hansed("backup", "--to", s.backup, expect=1), "no file is written over")
    check("stop it first" in s.hub.hansed("check", expect=1), "a running node isn't checked")
    check("is a store already" in s.hub.hansed("restore", "--from", s.backup, expect=1),
          "no store is written over")


def a_busy_node_is_backed_up(s):
    """While posts come in, backups are made: each is a whole one."""
    talk = threading.Thread(target=lambda: [s.cem.run("send", ROOM, f"busy {i}") for i in range(40)])
    talk.start()
    found, i = [], 0
    while talk.is_alive() and i < 20:
        s.hub.hansed("backup", "--to", s.root / f"busy-{i}", "--blobs", s.root / "shared")
        i += 1
    talk.join(60)
    s.hears("busy 39")
    for n in range(0, i, max(1, i // 4)):
        copy = Copy(s.hub, s.root / f"copy-{n}")
        (copy.dir / "store.restoring").mkdir()
        (copy.dir / "store.restoring" / "data.mdb").write_bytes(b"of one that was broken off")
        copy.hansed("restore", "--from", s.root / f"busy-{n}", "--blobs", s.root / "shared")
        verdict = json.loads(copy.hansed("check", "--json"))
        check(verdict["ok"] and verdict["attachments"] == 1, f"a backup of a busy node is whole: {verdict}")
        found.append(verdict["room_records"])
    check(len(found) > 0 and found == sorted(found), f"later ones hold no less: {found}")


def attachments_are_compared_with_their_names(s):
    """On another disk they are copies, here they would be links: altered ones, and such that aren't there, are told."""
    copy = Copy(s.hub, s.root / "copy-films")
    there = s.root / "films"
    shutil.copytree(s.blobs, there)
    name = next(there.glob("*/*"))
    good = name.read_bytes()
    name.write_bytes(good[:-1] + b"!")
    said = copy.hansed("restore", "--from", s.backup, "--blobs", there)
    check("1 are damaged" in said, f"one that was altered isn't taken: {said}")
    check("is missing" in copy.hansed("check", expect=1), "a check names it")
    shutil.rmtree(copy.dir / "store")
    said = copy.hansed("restore", "--from", s.backup, "--blobs", s.root / "nowhere")
    check("1 aren't in the backup" in said, f"one that isn't there is told: {said}")
    shutil.rmtree(copy.dir / "store")
    name.write_bytes(good)
    copy.hansed("restore", "--from", s.backup, "--blobs", there)
    check(hashes(copy.dir / "store" / "blobs") == hashes(there), "the right one comes back")
    mine = next((copy.dir / "store" / "blobs").glob("*/*"))
    mine.unlink()
    mine.write_bytes(good[1:] + good[:1])
    check("isn't what its name says" in copy.hansed("check", expect=1), "a check reads all of it")
    part = s.root / "broken.blobs" / name.parent.name
    part.mkdir(parents=True)
    (part / name.name).write_bytes(good[:1000])
    s.hub.hansed("backup", "--to", s.root / "broken")
    check((part / name.name).read_bytes() == good, "a backup that was broken off is made whole")


def a_stopped_node_is_checked(s):
    s.clip = s.root / "clip"
    s.clip.write_bytes(os.urandom(200_000))
    s.clip_seq = s.cem.run("send", ROOM, "--file", s.clip)["seq"]
    s.hears("clip")
    s.mo.stop()
    s.hub.stop()
    for node in (s.hub, s.home):
        node.stop()
        verdict = json.loads(node.hansed("check", "--json"))
        check(verdict["ok"] and verdict["rooms"] == 1 and verdict["room_records"] > 20, f"all is well: {verdict}")
        check("all is well" in node.hansed("check"), "and is said in words")
        check(not (node.dir / "store.checking").exists(), "nothing is left of a check")
    s.home.start()
    s.hub.hansed("backup", "--to", s.root / "last")


def only_whole_backups_are_restored(s):
    shutil.rmtree(s.hub.dir / "store")
    content = s.backup.read_bytes()
    bad = s.root / "bad"
    for what, bytes_ in {"altered": content[:900] + bytes([content[900] ^ 1]) + content[901:],
                         "cut off": content[:-1], "longer": content + b"\0", "empty": b""}.items():
        bad.write_bytes(bytes_)
        said = s.hub.hansed("restore", "--from", bad, expect=1)
        check("nothing was restored" in said, f"a backup that is {what}: {said}")
        check(not (s.hub.dir / "store").exists(), f"no store of a backup that is {what}")
    said = s.home.hansed("restore", "--from", s.backup, expect=1)
    check("nothing was restored" in said, f"another node's: {said}")
    check((s.hub.dir / "incarnation").read_text() == "1\n", "the incarnation is as it was")


def a_restored_node_goes_on(s):
    said = s.hub.hansed("restore", "--from", s.backup)
    check("incarnation 2" in said, f"the incarnation is raised: {said}")
    check((s.hub.dir / "incarnation").read_text() == "2\n", "and kept")
    verdict = json.loads(s.hub.hansed("check", "--json"))
    check(verdict["ok"] and verdict["rooms"] == 1, f"what was restored is well: {verdict}")
    with open(s.hub.config, "a") as config:
        config.write("\n[limits]\nrecover_seconds = 3\n")
    s.hub.start()
    still = json.loads(s.hub.hansed("resume", "--json"))
    check(still["frozen"] == 1 and still["ledger"], f"room and ledger stand still: {still}")
    s.mo.start("chat", ROOM).wait_line("online")
    wait_for(lambda: json.loads(s.hub.hansed("resume", "--json"))["frozen"] == 0, "its readers brought it back", 60)
    s.cem.run("send", ROOM, "after it all")
    s.hears("after it all")
    s.dora.run("send", ROOM, "the epoch stands that was made behind the backup")
    s.hears("the epoch stands")
    s.mo.stop()
    texts = [m["text"] for m in s.mo.run("log", ROOM) if m.get("kind") == "text"]
    check(texts[-3:-1] == ["busy 39", "after it all"] and "behind the backup" in texts and
          len(texts) == len(set(texts)), f"nothing is lost, nothing comes twice: {texts[-3:]}")
    again = s.root / "film-again"
    s.mo.run("save", ROOM, s.film_seq, "--to", again)
    check(again.read_bytes() == s.film.read_bytes(), "an attachment came back with the backup")
    clip = s.root / "clip-again"
    s.mo.run("save", ROOM, s.clip_seq, "--to", clip)
    check(clip.read_bytes() == s.clip.read_bytes(), "one that came behind the backup is brought by the node that has it")
    check("nothing stands still" in s.hub.hansed("resume", "all"), "and the ledger goes on")
    check("no hub has been caught" in s.home.hansed("evidence"), "nobody has anything against it")


def a_restored_home_gets_its_rooms_back(s):
    """Eva joined behind her home's backup: her client tells the hub where she is, and her home reads for her again."""
    s.eva = s.person("Eva", s.home.ticket("eva", "--uses", "1"))
    s.home.hansed("backup", "--to", s.root / "home-backup")
    s.mo.start("chat", ROOM).wait_line("online")
    check(s.eva.run("join", s.link, "--wait", "30")["state"] == "member", "Eva is in")
    s.eva.run("send", ROOM, "before her home goes back")
    s.hears("before her home goes back")
    s.home.stop()
    shutil.rmtree(s.home.dir / "store")
    s.home.hansed("restore", "--from", s.root / "home-backup")
    s.home.start()
    s.cem.run("send", ROOM, "while her home doesn't know that she is in")
    s.eva.run("send", ROOM, "her home knows it again")
    s.hears("her home knows it again")
    said = [text for _, text in s.eva.texts(ROOM)]
    check("while her home doesn't know that she is in" in said and len(said) == len(set(said)), f"all is there once: {said}")


if __name__ == "__main__":
    sys.exit(play(Scene, (a_running_node_is_backed_up, a_busy_node_is_backed_up,
                          attachments_are_compared_with_their_names, a_stopped_node_is_checked,
                          only_whole_backups_are_restored, a_restored_node_goes_on,
                          a_restored_home_gets_its_rooms_back), "hanse-keep-"))

// This project's members: mls_peer, one process for all of them, spoken to in lines of JSON.
import { spawn } from "node:child_process";
import readline from "node:readline";
import { fromBase64, hex, text, toBase64 } from "./bytes.mjs";

const can = new Set([
  "propose", "group info", "psk", "resumption psk", "mixed commit", "tree apart", "resync", "self proposal",
  "successors", "extensions", "new signature key",
]);

export class Hanse {
  static kind = "hanse";

  static async open({ suite, program, privateHandshakes }) {
    const peer = new Hanse();
    const child = spawn(program, [], { stdio: ["pipe", "pipe", "inherit"] });
    Object.assign(peer, { kind: Hanse.kind, can, suite, privateHandshakes, child, waiting: [],
      ended: false });
    readline.createInterface({ input: child.stdout }).on("line", (line) => peer.waiting.shift().resolve(line));
    child.on("exit", (code, signal) => {
      peer.ended = true;
      for (const { reject } of peer.waiting) reject(new Error(`mls_peer ended (${signal ?? code})`));
    });
    peer.suites = (await peer.call("suites")).suites;
    if (peer.has(suite)) return peer;
    await peer.close();
    return null;
  }

  has(suite) {
    return this.suites.includes(suite);
  }

  // Asks mls_peer; bytes are told apart by their type.
  async call(op, args = {}) {
    if (this.ended) throw new Error("mls_peer has ended");
    const line = await new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject });
      this.child.stdin.write(JSON.stringify({ op, ...encode(args) }) + "\n");
    });
    const answer = JSON.parse(line);
    if (answer.error !== undefined) throw Object.assign(new Error(`${op}: ${answer.error}`), { code: answer.error });
    return answer;
  }

  // The same process; its devices there get keys of that suite.
  ofSuite(suite) {
    return Object.assign(Object.create(this), { suite });
  }

  async device(name, random) {
    const device = new HanseDevice(this, name, random);
    await device.open();
    return device;
  }

  // mls_peer ends by itself at the end of its input: that is when a leak is told.
  async close() {
    const ended = new Promise((resolve) => this.child.on("exit", (code) => resolve(code)));
    this.child.stdin.end();
    const code = this.ended ? this.child.exitCode : await ended;
    if (code !== 0) throw new Error(`mls_peer ended with ${code}`);
  }
}

const encode = (value) => {
  if (value instanceof Uint8Array) return toBase64(value);
  if (Array.isArray(value)) return value.map(encode);
  if (value !== null && typeof value === "object")
    return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined).map(([k, v]) => [k, encode(v)]));
  return value;
};
const bytesOf = (string) => (string === undefined ? undefined : fromBase64(string));
const nameOf = (string) => (string === undefined ? undefined : text(fromBase64(string)));

class HanseDevice {
  constructor(peer, name, random) {
    Object.assign(this, { peer, name, random, kind: peer.kind, can: peer.can, joining: false });
  }

  call(op, args = {}) {
    return this.peer.call(op, { device: this.name, ...args });
  }

  async open() {
    const { random } = this;
    this.settles = random.chance(30);
    await this.peer.call("device", {
      name: this.name,
      suite: this.peer.suite,
      grease: random.chance(50) ? random.pick([0x0a0a, 0x3a3a, 0x8a8a, 0xeaea]) : 0,
      extension: random.chance(30) && this.allowsExtensions !== false,
      private_handshakes: this.peer.privateHandshakes === true,
      padding: random.pick([0, 0, 64, 256]),
      settling: this.settles,
    });
  }

  async keyPackage() {
    const last_resort = this.peer.lastResort && this.random.chance(10);
    return bytesOf((await this.call("key_package", { last_resort })).message);
  }

  learnPsk(id, secret) {
    return this.call("psk", { id, secret });
  }

  create(groupId, extensions = []) {
    return this.call("create", { group: groupId, extensions });
  }

  joinWelcome(welcome, tree) {
    return this.call("join_welcome", { welcome, tree });
  }

  async joinExternal(groupInfo, { resync = false, psks = [] } = {}) {
    const answer = await this.call("join_external", {
      group_info: groupInfo, resync, psks, authenticated_data: this.random.bytes(this.random.below(9)),
    });
    this.joining = true;
    return { commit: bytesOf(answer.commit), groupInfo: bytesOf(answer.group_info) };
  }

  async leafOf(name) {
    const { members } = await this.call("view");
    return members.find((m) => nameOf(m.identity) === name).leaf;
  }

  async commit({ wishes = [], treeInWelcome = true, forcePath = false, newSignatureKey = false }) {
    const of = (key) => wishes.filter((w) => w[key] !== undefined).map((w) => w[key]);
    await this.call("settle");
    const answer = await this.call("commit", {
      adds: of("add"),
      removes: await Promise.all(of("remove").map((name) => this.leafOf(name))),
      psks: of("psk"),
      extensions: of("extensions")[0],
      tree_in_welcome: treeInWelcome,
      force_path: forcePath,
      new_signature_key: newSignatureKey,
      reinit_group: of("reinit")[0]?.groupId,
      reinit_suite: of("reinit")[0]?.suite,
      authenticated_data: this.random.bytes(this.random.below(20)),
    });
    this.ownCommit = bytesOf(answer.commit);
    return {
      commit: this.ownCommit,
      welcome: bytesOf(answer.welcome),
      groupInfo: bytesOf(answer.group_info),
    };
  }

  async settle(accepted) {
    if (this.joining) {
      this.joining = false;
      return this.call("joined", { accepted });
    }
    if (!accepted) {
      // It may forget at once, or when another commit is merged.
      if (this.random.chance(50)) await this.call("drop");
      return;
    }
    if (this.random.chance(50)) await this.restart();
    if (this.random.chance(30)) {
      const { kind } = await this.call("process", { message: this.ownCommit });
      if (kind !== "own commit") throw new Error(`an echo of one's own commit came out as ${kind}`);
    }
    return this.call("accept");
  }

  async propose(wish, { psk } = {}) {
    const [type] = Object.keys(wish);
    const answer = await this.call("propose", {
      type,
      key_package: wish.add,
      leaf: wish.remove === undefined ? undefined : await this.leafOf(wish.remove),
      psks: wish.psk && [wish.psk],
      extensions: wish.extensions,
      new_signature_key: wish.update === "new key",
      reinit_group: wish.reinit?.groupId,
      reinit_suite: wish.reinit?.suite,
      authenticated_data: this.random.bytes(this.random.below(9)),
    });
    const message = bytesOf(answer.message);
    // Its own PublicMessage counts once it came back from the hub; a PrivateMessage waits already.
    if (!this.peer.privateHandshakes) await this.call("process", { message });
    return message;
  }

  async proposeSelf(groupInfo, { groupId, epoch }) {
    await this.keyPackage();
    return bytesOf((await this.call("propose_outside", { type: "add", group: groupId, epoch })).message);
  }

  async process(message) {
    const answer = await this.call("process", { message });
    return {
      kind: answer.kind,
      data: bytesOf(answer.data),
      sender: nameOf(answer.sender),
      removed: answer.removed,
      change: answer.kind === "commit" && {
        committer: nameOf(answer.committer),
        added: answer.added.map(nameOf).sort(),
        gone: answer.gone.map(nameOf).sort(),
        external: answer.external,
        resync: answer.resync,
      },
    };
  }

  // A commit that the hub takes back: merged, then reverted. Only those that settle can do it.
  async processAndRevert(message) {
    await this.call("settle");
    await this.call("process", { message });
    await this.call("revert");
  }

  async ready() {
    await this.call("settle");
  }

  async protect(data) {
    const answer = await this.call("protect", {
      data, padding: this.random.pick([0, 32, 500]), authenticated_data: this.random.bytes(this.random.below(9)),
    });
    return bytesOf(answer.message);
  }

  async restart() {
    await this.call("restart");
  }

  async groupInfo() {
    return bytesOf((await this.call("group_info")).message);
  }

  async tree() {
    return bytesOf((await this.call("tree")).tree);
  }

  async exporter(label, context, length) {
    return hex(bytesOf((await this.call("export", { label, context, length })).secret));
  }

  async view() {
    const answer = await this.call("view");
    return {
      epoch: answer.epoch,
      members: answer.members.map((m) => nameOf(m.identity)).sort(),
      exporter: await this.exporter("exporter", new Uint8Array(), 32),
      authenticator: hex(bytesOf(answer.authenticator)),
      treeHash: hex(bytesOf(answer.tree_hash)),
    };
  }

  async succeed({ branch, groupId, adds, extensions }) {
    const answer = await this.call("succeed", { branch, group: branch ? groupId : undefined, adds, extensions });
    return { welcome: bytesOf(answer.welcome) };
  }

  async joinSuccessor(welcome, tree) {
    await this.call("leave", { keep: true });
    await this.joinWelcome(welcome, tree);
  }

  async useSuite(peer) {
    await this.call("new_keys", { suite: peer.suite });
  }

  async externalSenders() {
    const answer = await this.call("external_senders");
    return { key: bytesOf(answer.key), extension: bytesOf(answer.extension) };
  }

  // Not a member: an external sender.
  async proposeOutside({ groupId, epoch, leaf }) {
    const answer = await this.call("propose_outside", { type: "remove", index: 0, group: groupId, epoch, leaf });
    return bytesOf(answer.message);
  }

  async leave() {
    await this.call("leave");
  }

  async close() {
    await this.call("forget");
  }
}

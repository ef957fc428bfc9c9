// A group of devices of several peers, and the hub between them: one order of commits, and after each of them all
// must agree.
import { hex } from "./bytes.mjs";

export class Disagreement extends Error {}

const insist = (condition, what) => {
  if (!condition) throw new Disagreement(what);
};

export class Group {
  constructor({ random, log, count, shadow }) {
    Object.assign(this, { random, log, count, shadow });
    this.members = new Map(); // name -> device
    this.since = new Map(); // device -> its first epoch
    this.keysSince = new Map(); // device -> the first epoch of its signature key there
    this.strangers = new Set(); // names of those that were added but can't join; to be removed
    this.former = []; // devices that were removed
    this.epoch = 0;
    this.waiting = []; // proposals of this epoch: { by, type, target, device }
    this.late = []; // posts that some have not read yet: { bytes, data, from, epoch, readers }
    this.psks = [];
  }

  list() {
    return [...this.members.values()];
  }

  enter(device) {
    this.late = this.late.filter((post) => post.reader !== device); // the group that it read them in is gone
    this.members.set(device.name, device);
    this.since.set(device, this.epoch);
    this.keysSince.set(device, this.epoch);
  }

  others(...devices) {
    return this.list().filter((d) => !devices.includes(d));
  }

  async start(creator, extensions, externalSender) {
    this.id = this.random.bytes(this.random.pick([16, 32, 70]));
    await creator.create(this.id, extensions, externalSender);
    this.enter(creator);
    this.groupInfo = creator.can.has("group info") ? await creator.groupInfo() : undefined;
    if (this.groupInfo !== undefined) await this.shadow?.start(this.groupInfo);
    this.log(`${creator.name} (${creator.kind}) creates the group`);
    await this.agree();
  }

  // Every member must come to the same epoch, members, exporter secret, and authenticator where it tells it.
  async agree() {
    const expected = [...this.members.keys(), ...this.strangers].sort().join(" ");
    const label = `label ${this.random.below(1000)}`;
    const context = this.random.bytes(this.random.below(40));
    const seen = {};
    for (const device of this.list()) {
      const view = await device.view();
      insist(view.epoch === this.epoch, `${device.name} is in epoch ${view.epoch}, not ${this.epoch}`);
      insist(view.members.join(" ") === expected, `${device.name} sees other members: ${view.members}`);
      if (device.exporter !== undefined) view.other = await device.exporter(label, context, 48);
      for (const key of ["exporter", "authenticator", "treeHash", "other"]) {
        if (view[key] === undefined) continue;
        seen[key] ??= { value: view[key], by: device.name };
        insist(seen[key].value === view[key], `${key} differs between ${seen[key].by} and ${device.name}`);
      }
    }
    await this.shadow?.agree(this.epoch, expected, seen.treeHash?.value);
    return seen;
  }

  async post(sender, n) {
    const posts = [];
    for (let i = 0; i < n; i++) {
      const data = this.random.bytes(this.random.pick([0, 1, 30, 300, 5000]));
      posts.push({ bytes: await sender.protect(data), data, from: sender, epoch: this.epoch });
    }
    this.log(`${sender.name} posts ${n}`);
    for (const reader of this.others(sender)) {
      const late = this.random.chance(15);
      // Some swap neighbours: within what every peer tolerates.
      const order = this.random.chance(30) ? [...posts].reverse() : posts;
      for (const post of order)
        if (late) this.late.push({ ...post, reader });
        else await this.read(reader, post);
    }
    this.count(sender, "posts", n);
  }

  async read(reader, { bytes, data, from, epoch }) {
    const event = await reader.process(bytes);
    insist(event.kind === "application", `${reader.name} reads a post of ${from.name} as ${event.kind}`);
    insist(hex(event.data) === hex(data), `${reader.name} reads something else in epoch ${epoch}`);
    if (event.sender !== undefined)
      insist(event.sender === from.name, `${reader.name} takes ${event.sender} for ${from.name}`);
    this.count(reader, "posts read");
  }

  // Posts of the epoch before, or of the one before that, read after the commit.
  async readLate() {
    const due = this.late.filter(() => this.random.chance(60));
    this.late = this.late.filter((post) => !due.includes(post) && this.epoch - post.epoch < 2);
    for (const post of due) {
      if (this.members.get(post.reader.name) !== post.reader) continue;
      // core-crypto looks for the sender and its key in today's tree.
      const known = this.members.has(post.from.name) && this.keysSince.get(post.from) <= post.epoch;
      if (post.reader.kind === "core-crypto" && !known) continue;
      await this.read(post.reader, post);
      if (post.epoch < this.epoch) this.count(post.reader, "posts of a past epoch");
    }
  }

  async propose(device, wish, isPrivate) {
    const message = await device.propose(wish, { isPrivate });
    const type = Object.keys(wish)[0];
    this.log(`${device.name} proposes ${type} ${wish.remove ?? wish.newcomer?.name ?? ""}`);
    this.waiting.push({ by: device, type, target: wish.remove, device: wish.newcomer });
    await this.spread(message, device);
    this.count(device, `proposal: ${type}`);
  }

  // A newcomer's own Add, or an external sender's proposal.
  async proposeFromOutside(message, entry) {
    this.log(`${entry.by.name} proposes ${entry.type} from outside`);
    this.waiting.push({ ...entry, outside: true });
    await this.spread(message);
    this.count(entry.by, `proposal from outside: ${entry.type}`);
  }

  async spread(message, sender) {
    await this.shadow?.process(message);
    for (const reader of this.others(sender)) {
      const event = await reader.process(message);
      insist(event.kind === "proposal", `${reader.name} takes a proposal for ${event.kind}`);
    }
  }

  // What the next commit does by what waits.
  effects() {
    return {
      gone: this.waiting.filter((w) => w.type === "remove").map((w) => w.target),
      newcomers: this.waiting.filter((w) => w.type === "add").map((w) => w.device),
      updaters: this.waiting.filter((w) => w.type === "update").map((w) => w.by),
    };
  }

  // Those that may commit what waits: nobody commits its own Update or its own removal.
  committers() {
    const { gone, updaters } = this.effects();
    const extensions = this.waiting.some((w) => w.type === "extensions");
    return this.list().filter(
      (d) => !gone.includes(d.name) && !updaters.includes(d) && (!extensions || d.can.has("extensions")));
  }

  // committer's commit wins over that of the rivals.
  async commit(committer, request, rivals = []) {
    const before = this.effects();
    const wishes = request.wishes ?? [];
    const gone = [...before.gone, ...wishes.filter((w) => w.remove).map((w) => w.remove)];
    const newcomers = [...before.newcomers, ...wishes.filter((w) => w.add).map((w) => w.device)];
    await committer.ready?.();
    const bundle = await committer.commit({ ...request, commitProposals: this.waiting.length > 0 });
    const lost = [];
    for (const rival of rivals) {
      await rival.ready?.();
      lost.push(await rival.commit({ commitProposals: this.waiting.length > 0 }));
    }
    await this.takeBack(committer, rivals, lost);
    for (const rival of rivals) await rival.settle(false);
    await this.deliver(committer, bundle, gone, newcomers);
    const tree = request.treeInWelcome === false ? (bundle.tree ?? (await committer.tree())) : undefined;
    await this.welcome(bundle, newcomers, tree);
    await this.agree();
  }

  // A rival's commit reaches some, and is taken back by the hub: those that settle go back to the epoch before.
  async takeBack(committer, rivals, bundles) {
    const able = this.others(committer, ...rivals).filter((d) => d.processAndRevert && d.settles);
    if (bundles.length === 0 || able.length === 0) return;
    const device = this.random.pick(able);
    await device.processAndRevert(bundles[0].commit);
    this.count(device, "taken back");
  }

  async deliver(committer, bundle, gone, newcomers) {
    await this.shadow?.process(bundle.commit, bundle.groupInfo);
    await committer.settle(true);
    this.epoch++;
    for (const device of this.others(committer)) {
      await device.ready?.();
      const event = await device.process(bundle.commit);
      insist(event.kind === "commit", `${device.name} takes a commit for ${event.kind}`);
      const removed = gone.includes(device.name);
      insist(event.removed === removed, `${device.name} thinks it was ${removed ? "not " : ""}removed`);
      if (event.change) this.checkChange(device, event.change, committer, gone, newcomers);
    }
    for (const name of gone) {
      const device = this.members.get(name);
      if (this.strangers.delete(name)) continue;
      this.members.delete(name);
      this.former.push(device);
      await device.leave?.();
    }
    for (const { by, type } of this.waiting) if (type === "update") this.keysSince.set(by, this.epoch);
    this.groupInfo = bundle.groupInfo ?? (await committer.groupInfo());
    this.waiting = [];
  }

  checkChange(device, change, committer, gone, newcomers) {
    const added = newcomers.map((d) => d.name).sort().join(" ");
    insist(change.committer === committer.name, `${device.name}: committed by ${change.committer}`);
    insist(change.added.join(" ") === added, `${device.name}: added ${change.added}, not ${added}`);
    insist(change.gone.join(" ") === [...gone].sort().join(" "), `${device.name}: removed ${change.gone}`);
  }

  async welcome(bundle, newcomers, tree) {
    for (const device of newcomers) {
      insist(bundle.welcome !== undefined, "a commit with newcomers has no Welcome");
      if (device.refusesGroup?.(this.groupInfo)) {
        this.log(`${device.name} can't come in: its peer refuses this sound tree`);
        this.strangers.add(device.name);
        continue;
      }
      for (const { id, secret } of this.psks) await device.learnPsk(id, secret);
      await device.joinWelcome(bundle.welcome, tree);
      this.enter(device);
      this.count(device, "joins by Welcome");
    }
  }

  async joinExternal(device, { resync = false, refuse = false } = {}) {
    for (const { id, secret } of this.psks) await device.learnPsk(id, secret);
    const bundle = await device.joinExternal(this.groupInfo, { resync });
    if (refuse) {
      await device.settle(false);
      return;
    }
    await this.shadow?.process(bundle.commit, bundle.groupInfo);
    for (const member of this.others(device)) {
      await member.ready?.();
      const event = await member.process(bundle.commit);
      insist(event.kind === "commit", `${member.name} takes an external commit for ${event.kind}`);
      if (event.change)
        insist(
          event.change.external && event.change.resync === resync && event.change.committer === device.name,
          `${member.name} sees another external commit: ${JSON.stringify(event.change)}`,
        );
    }
    await device.settle(true);
    this.epoch++;
    this.enter(device);
    this.groupInfo = bundle.groupInfo ?? (await device.groupInfo());
    this.waiting = [];
    await this.agree();
    this.count(device, resync ? "comes back by an external commit" : "joins by an external commit");
  }
}

// A random run: peers, their devices, one group, and what happens in it epoch after epoch.
import { actions, wishesToAdd } from "./actions.mjs";
import { Group } from "./group.mjs";
import { Random } from "./random.mjs";
import { Shadow } from "./shadow.mjs";
import { shapeAfter, treeOf } from "./tree.mjs";

const ROOM_POLICY = 0xf4a1; // an extension type for private use that the devices of these runs list

export class World {
  constructor({ peers, seed, most, privateHandshakes = false, log = () => {} }) {
    this.peers = peers;
    this.random = new Random(seed);
    this.privateHandshakes = privateHandshakes;
    this.least = 3; // so many members stay at least,
    this.most = Number(most ?? 4 + 2 * peers.length); // and so many at most
    this.made = 0;
    this.counts = {};
    this.actions = []; // for a failure's report
    this.logTo = log;
    const kinds = peers.map((p) => p.kind);
    // core-crypto knows neither PSKs nor an extension for private use; ts-mls can't read external_senders.
    this.usesPsks = !kinds.includes("core-crypto");
    this.newExtensions = this.usesPsks ? () => this.roomPolicy() : () => this.requirements();
    // core-crypto takes the last_resort extension for another one, and reads its empty content as malformed.
    if (kinds.includes("hanse")) this.peer("hanse").lastResort = !kinds.includes("core-crypto");
    // core-crypto takes a commit's signature for one by the key that the commit brings.
    this.newKeysInCommits = !kinds.includes("core-crypto");
    this.usesOutsider = kinds.includes("hanse") && !kinds.includes("ts-mls") && !privateHandshakes;
  }

  log(what) {
    const line = `epoch ${this.group?.epoch ?? 0}: ${what}`;
    this.actions.push(line);
    this.logTo(line);
  }

  count(device, what, n = 1) {
    const row = (this.counts[what] ??= {});
    row[device.kind] = (row[device.kind] ?? 0) + n;
  }

  peer(kind) {
    return this.peers.find((p) => p.kind === kind);
  }

  roomPolicy() {
    return [{ type: ROOM_POLICY, data: this.random.bytes(this.random.below(50)) }];
  }

  // required_capabilities (RFC 9420, 11.1): no extensions, no proposals, basic and perhaps X.509 credentials.
  requirements() {
    const credentials = this.random.chance(50) ? [4, 0, 1, 0, 2] : [2, 0, 1];
    const required = { type: 3, data: Uint8Array.from([0, 0, ...credentials]) };
    return this.senders ? [required, { type: 5, data: this.senders.extension }] : [required];
  }

  async device(kind) {
    // core-crypto knows its clients by "uuid:device@domain" only; so all are named like that.
    const number = (++this.made).toString(16);
    const name = `${number.padStart(8, "0")}-0000-4000-8000-000000000000:${number}@hanse.example`;
    return this.peer(kind).device(name, this.random);
  }

  // Devices that aren't in the group: new ones, and sometimes such that were removed before.
  async newcomers(n, kind) {
    const out = [];
    for (let i = 0; i < n; i++) {
      const wanted = kind ?? this.rarest();
      const back = this.group.former.findIndex((d) => d.kind === wanted && !out.includes(d));
      if (back >= 0 && this.random.chance(40)) out.push(...this.group.former.splice(back, 1));
      else out.push(await this.device(wanted));
    }
    return out;
  }

  // Do all peers stand what the next commit does to the tree, by what waits, these that go, and so many newcomers?
  stands(gone, adds) {
    const waiting = this.group.effects();
    const shape = shapeAfter(
      treeOf(this.group.groupInfo), [...waiting.gone, ...gone], waiting.newcomers.length + adds);
    return !(shape.regrows && this.peer("core-crypto")) && !(shape.leftIsEmpty && this.peer("ts-mls"));
  }

  // A member of that kind, or undefined.
  some(kind) {
    return this.random.some(this.group.list().filter((d) => d.kind === kind), 1)[0];
  }

  // Peers that have few members get the newcomers.
  rarest() {
    const members = (kind) => this.group.list().filter((d) => d.kind === kind).length;
    const weights = Object.fromEntries(this.peers.map((p) => [p.kind, 1 + 3 * Math.max(0, 3 - members(p.kind))]));
    return this.random.weighted(weights);
  }

  room() {
    return this.most - this.group.members.size;
  }

  async newPsk() {
    const psk = { id: this.random.bytes(1 + this.random.below(20)), secret: this.random.bytes(32) };
    this.group.psks.push(psk);
    for (const device of this.group.list()) await device.learnPsk(psk.id, psk.secret);
    return psk;
  }

  isPrivate(device) {
    return this.privateHandshakes && (device.kind === "hanse" || this.random.chance(70));
  }

  // An epoch that all of today's members were in, not long ago.
  epochOfAll() {
    const first = Math.max(...this.group.list().map((d) => this.group.since.get(d)), this.group.epoch - 2);
    return first + this.random.below(this.group.epoch - first + 1);
  }

  async start() {
    const hanse = this.peer("hanse");
    const shadow = hanse && !this.privateHandshakes ? new Shadow(hanse, this.random) : undefined;
    const count = (...args) => this.count(...args);
    this.group = new Group({ random: this.random, log: (what) => this.log(what), count, shadow });
    const creator = await this.device(this.random.pick(this.peers).kind);
    if (this.usesOutsider) {
      this.outsider = await this.device("hanse");
      this.senders = await this.outsider.externalSenders();
    }
    const extensions = this.senders || this.random.chance(50) ? this.newExtensions() : [];
    await this.group.start(creator, extensions, this.senders?.key);
    const first = this.peers.map((p) => p.kind).filter((kind) => kind !== creator.kind);
    const devices = [];
    for (const kind of [...first, creator.kind]) devices.push(await this.device(kind));
    await this.commit(creator, { wishes: await wishesToAdd(devices) });
  }

  // Now and then a rival commits too, and the hub takes the other one's.
  rivals(by) {
    return this.random.chance(25) ? this.random.some(this.group.committers().filter((d) => d !== by), 1) : [];
  }

  async commit(by, request, rivals = this.rivals(by)) {
    const wishes = request.wishes?.map((w) => Object.keys(w)[0]).join(", ") ?? "";
    this.log(`${by.name} (${by.kind}) commits ${wishes}${rivals.length > 0 ? `, against ${rivals[0].name}` : ""}`);
    await this.group.commit(by, { isPrivate: this.isPrivate(by), ...request }, rivals);
    for (const rival of rivals) this.count(rival, "commit that another one beat");
    return true;
  }

  // One epoch: some post, then something happens that ends it.
  async step() {
    const { group, random } = this;
    for (const sender of random.some(group.list(), random.below(3))) await group.post(sender, 1 + random.below(2));
    for (const device of group.list())
      if (device.restart && random.chance(15)) await device.restart();
    await this.act();
    await group.readLate();
  }

  async act() {
    const { group, random } = this;
    const strangers = [...group.strangers];
    if (strangers.length > 0 && this.stands(strangers, 0))
      return this.commit(random.pick(group.list()), { wishes: strangers.map((remove) => ({ remove })) });
    for (let tries = 0; tries < 50; tries++) {
      const [name, by] = this.choose();
      const action = actions[name];
      const epoch = group.epoch;
      this.log(`action: ${name} by ${by.name ?? by}`);
      if ((await action.run(this, by)) === false) continue;
      if (group.epoch === epoch) throw new Error(`nothing came of: ${name}`);
      this.count(by.name ? by : { kind: by }, `action: ${name}`);
      return;
    }
    throw new Error("nothing can be done any more");
  }

  // The kinds whose devices can do that now.
  able(action) {
    if (action.outsider) return this.peers.filter((p) => action.may(p, this)).map((p) => p.kind);
    return [...new Set(this.group.list().filter((d) => action.may(d, this)).map((d) => d.kind))];
  }

  done(name, kind) {
    return this.counts[`action: ${name}`]?.[kind] ?? 0;
  }

  // Every other time something that a kind hasn't done yet, the basic things first; else by weight, and by the kind that
  // did it least: so that a run of fifty epochs sees about everything by everybody.
  choose() {
    const { random } = this;
    const pairs = Object.entries(actions).flatMap(([name, a]) => this.able(a).map((kind) => ({ name, kind })));
    const undone = pairs.filter(({ name, kind }) => this.done(name, kind) === 0);
    const basic = undone.filter(({ name }) => actions[name].weight >= 3);
    const urgent = basic.length > 0 ? basic : undone;
    if (urgent.length > 0 && random.chance(50)) return this.doer(random.pick(urgent));
    const weights = Object.fromEntries(pairs.map(({ name }) => [name, actions[name].weight]));
    const name = random.weighted(weights);
    const kinds = random.shuffle(pairs.filter((pair) => pair.name === name).map(({ kind }) => kind));
    return this.doer({ name, kind: kinds.sort((x, y) => this.done(name, x) - this.done(name, y))[0] });
  }

  // [action's name, the device that does it, or the kind of the newcomer]
  doer({ name, kind }) {
    const action = actions[name];
    if (action.outsider) return [name, kind];
    return [name, this.random.pick(this.group.list().filter((d) => d.kind === kind && action.may(d, this)))];
  }

  async close() {
    await this.outsider?.close();
    for (const device of [...this.group.list(), ...this.group.former]) await device.close();
  }
}


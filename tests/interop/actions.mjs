// What can happen in one epoch. Each action ends with a commit that all have processed, or returns false,
// with nothing changed, where this group can't do it just now.
//
// may: does this kind of device do it by itself?
export const actions = {
  update: { weight: 3, may: () => true, run: (w, by) => w.commit(by, { forcePath: true }) },
  add: { weight: 3, may: () => true, run: add },
  remove: { weight: 3, may: () => true, run: remove },
  "add and remove": { weight: 2, may: (d) => d.can.has("mixed commit"), run: addAndRemove },
  "commit proposals": { weight: 4, may: () => true, run: commitProposals },
  "new signature key": {
    weight: 2,
    may: (d, w) => d.can.has("new signature key") && w.newKeysInCommits,
    run: (w, by) => w.commit(by, { newSignatureKey: true }),
  },
  psk: { weight: 2, may: (d) => d.can.has("psk"), run: psk },
  "resumption psk": { weight: 2, may: (d) => d.can.has("resumption psk"), run: resumptionPsk },
  "new extensions": { weight: 1, may: (d) => d.can.has("extensions"), run: newExtensions },
  "join by external commit": { weight: 3, outsider: true, may: () => true, run: joinExternal },
  "come back": { weight: 2, may: (d) => d.can.has("resync"), run: comeBack },
  "ask to be added": { weight: 2, outsider: true, may: (d) => d.can.has("self proposal"), run: askToBeAdded },
  "removal from outside": { weight: 2, may: () => true, run: removalFromOutside },
};

export async function wishesToAdd(devices) {
  const wishes = [];
  for (const device of devices) wishes.push({ add: await device.keyPackage(), device });
  return wishes;
}

async function add(w, by) {
  const n = Math.min(1 + w.random.below(3), w.room());
  if (n < 1) return false;
  const devices = await w.newcomers(n);
  const apart = [by, ...devices].every((d) => d.can.has("tree apart"));
  const treeInWelcome = !apart || w.random.chance(60);
  return w.commit(by, { wishes: await wishesToAdd(devices), treeInWelcome, forcePath: w.random.chance(40) });
}

async function remove(w, by) {
  const gone = w.random.some(w.group.others(by), 1 + w.random.below(2)).map((d) => d.name);
  if (w.group.members.size - gone.length < w.least || !w.stands(gone, 0)) return false;
  return w.commit(by, { wishes: gone.map((name) => ({ remove: name })) });
}

async function addAndRemove(w, by) {
  if (w.room() < 1 || w.group.members.size < 3) return false;
  const { name } = w.random.pick(w.group.others(by));
  if (!w.stands([name], 1)) return false;
  return w.commit(by, { wishes: [...(await wishesToAdd(await w.newcomers(1))), { remove: name }] });
}

// Some of those that can propose do it; whoever may commits what came together.
async function commitProposals(w, by) {
  const able = w.group.others(by).filter((d) => d.can.has("propose"));
  const proposers = w.random.some(able, 1 + w.random.below(3));
  if (proposers.length === 0) return false;
  for (const proposer of proposers) await proposeSomething(w, proposer, by);
  return w.commit(by, { forcePath: true });
}

async function proposeSomething(w, proposer, committer) {
  const { gone, updaters } = w.group.effects();
  const types = w.group.waiting.map((waiting) => waiting.type);
  const isPrivate = w.isPrivate(proposer);
  if (gone.includes(proposer.name)) return;
  const type = w.random.weighted({
    update: 3,
    add: w.room() > 0 && w.stands([], 1) ? 2 : 0,
    remove: w.group.members.size > w.least ? 2 : 0,
    psk: w.usesPsks ? 1 : 0,
    extensions: committer.can.has("extensions") && !types.includes("extensions") ? 1 : 0,
  });
  if (type === "add") {
    const [newcomer] = await w.newcomers(1);
    return w.group.propose(proposer, { add: await newcomer.keyPackage(), newcomer }, isPrivate);
  }
  if (type === "psk") return w.group.propose(proposer, { psk: await w.newPsk() }, isPrivate);
  if (type === "extensions") return w.group.propose(proposer, { extensions: w.newExtensions() }, isPrivate);
  // A member may propose its own removal.
  const targets = w.group.others(committer)
    .filter((d) => !gone.includes(d.name) && !updaters.includes(d) && w.stands([d.name], 0));
  if (type === "remove" && targets.length > 0 && w.group.members.size - gone.length > w.least)
    return w.group.propose(proposer, { remove: w.random.pick(targets).name }, isPrivate);
  if (!updaters.includes(proposer))
    return w.group.propose(proposer, { update: w.random.chance(30) ? "new key" : true }, isPrivate);
}

async function psk(w, by) {
  if (!w.usesPsks) return false;
  const wishes = [];
  for (let n = 1 + w.random.below(2); n > 0; n--) wishes.push({ psk: await w.newPsk() });
  if (w.random.chance(50) && w.room() > 0) wishes.push(...(await wishesToAdd(await w.newcomers(1))));
  return w.commit(by, { wishes });
}

// The secret of an epoch that all members were in.
async function resumptionPsk(w, by) {
  if (!w.usesPsks) return false;
  return w.commit(by, { wishes: [{ psk: { epoch: w.epochOfAll() } }] });
}

async function newExtensions(w, by) {
  return w.commit(by, { wishes: [{ extensions: w.newExtensions() }] });
}

async function joinExternal(w, kind) {
  if (w.room() < 1 || w.group.groupInfo === undefined) return false;
  const [device] = await w.newcomers(1, kind);
  if (device.refusesGroup?.(w.group.groupInfo)) return false;
  if (w.random.chance(30)) {
    // Too late: another commit was first.
    await w.group.joinExternal(device, { refuse: true });
    await w.commit(w.random.pick(w.group.list()), {});
    if (device.refusesGroup?.(w.group.groupInfo)) return true;
  }
  return w.group.joinExternal(device);
}

async function comeBack(w, by) {
  const { groupInfo } = w.group;
  if (groupInfo === undefined || by.refusesGroup?.(groupInfo)) return false;
  if (!w.stands([by.name], 1)) return false;
  return w.group.joinExternal(by, { resync: true });
}

async function askToBeAdded(w, kind) {
  if (w.room() < 1 || w.group.groupInfo === undefined) return false;
  const [device] = await w.newcomers(1, kind);
  const message = await device.proposeSelf(w.group.groupInfo, { groupId: w.group.id, epoch: w.group.epoch });
  await w.group.proposeFromOutside(message, { by: device, type: "add", device });
  return w.commit(w.random.pick(w.group.committers()), {});
}

async function removalFromOutside(w, by) {
  const { group } = w;
  if (w.outsider === undefined || !group.shadow.running || group.members.size <= w.least) return false;
  const target = w.random.pick(group.others(by));
  if (!w.stands([target.name], 0)) return false;
  const leaf = await group.shadow.leafOf(target.name);
  const message = await w.outsider.proposeOutside({ groupId: group.id, epoch: group.epoch, leaf });
  await group.proposeFromOutside(message, { by: w.outsider, type: "remove", target: target.name });
  return w.commit(by, {});
}

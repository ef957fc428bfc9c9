// Groups that follow another one: branches, and the group that a ReInit announces (RFC 9420, 11.2 and 11.3).
import { Group } from "./group.mjs";

// A group beside world.group, of the founder and the others; all agree and can read each other.
async function found(world, { founder, others, branch, groupId, suite, extensions = [] }) {
  const group = new Group({ random: world.random, log: (what) => world.log(what), count: (...a) => world.count(...a) });
  const adds = [];
  for (const device of others) adds.push(await device.keyPackage());
  const { welcome, tree } = await founder.succeed({ branch, groupId, suite, adds, extensions });
  for (const device of others) await device.joinSuccessor(welcome, tree, { branch });
  group.id = groupId;
  group.epoch = 1;
  for (const device of [founder, ...others]) {
    group.enter(device);
    world.count(device, branch ? "joins a branch" : "follows a ReInit");
  }
  world.count(founder, branch ? "founds a branch" : "founds the group of a ReInit");
  await group.agree();
  for (const device of group.list()) await group.post(device, 1);
  return group;
}

// Ends the group by a ReInit, proposed by one and committed by another or all in one commit; the world goes on in
// the group that follows, whose suite may be another.
export async function reinit(world, by, founder, peersOfSuite, suite) {
  const { group, random } = world;
  const wish = { reinit: { groupId: random.bytes(20), suite } };
  const proposers = group.others(by);
  const apart = random.chance(50);
  if (apart) await group.propose(random.pick(proposers), wish, false);
  world.log(`${by.name} (${by.kind}) ends the group; ${founder.name} (${founder.kind}) founds the next`);
  await world.commit(by, { wishes: apart ? [] : [wish] }, []);
  world.count(by, "commits a ReInit");
  for (const device of group.list()) await device.useSuite(peersOfSuite[device.kind]);
  const others = group.others(founder);
  const next = await found(world, { founder, others, branch: false, groupId: wish.reinit.groupId, suite });
  next.groupInfo = await founder.groupInfo();
  next.psks = group.psks;
  world.group = next;
}

// A branch with these; they are lost to the group then, as a device here is in one group at a time.
export async function branch(world, founder, others) {
  world.log(`${founder.name} (${founder.kind}) branches with ${others.map((d) => d.name).join(", ")}`);
  await found(world, { founder, others, branch: true, groupId: world.random.bytes(24) });
}

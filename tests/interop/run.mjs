// node run.mjs [--peers hanse,ts-mls,core-crypto] [--suite 3] [--next 1] [--epochs 50] [--members N]
//              [--seed N] [--private] [--peer PROGRAM] [--verbose]
import { inspect, parseArgs } from "node:util";
import { CoreCrypto } from "./core-crypto.mjs";
import { Hanse } from "./hanse.mjs";
import { branch, reinit } from "./successors.mjs";
import { TsMls } from "./ts-mls.mjs";
import { World } from "./world.mjs";

const AFTER_REINIT = 8; // epochs

const kinds = { hanse: Hanse, "ts-mls": TsMls, "core-crypto": CoreCrypto };

const { values: options } = parseArgs({
  options: {
    peers: { type: "string", default: "hanse,ts-mls,core-crypto" },
    suite: { type: "string", default: "3" },
    next: { type: "string" }, // the suite of the group after the ReInit; else the same
    epochs: { type: "string", default: "50" },
    seed: { type: "string", default: String(Date.now() % 0x7fffffff) },
    members: { type: "string" },
    private: { type: "boolean", default: false },
    peer: { type: "string", default: process.env.MLS_PEER ?? "" },
    verbose: { type: "boolean", default: false },
  },
});

function report(world, names) {
  const width = Math.max(...Object.keys(world.counts).map((what) => what.length));
  const row = (what, cells) => console.log([what.padEnd(width), ...cells.map((c) => String(c).padStart(12))].join(" "));
  row("", names);
  for (const what of Object.keys(world.counts).sort()) row(what, names.map((kind) => world.counts[what][kind] ?? "-"));
}

// Random epochs; then, where all peers know how, a ReInit, some epochs of the group that follows, and branches of it.
async function live(world, epochs, { suite, next }) {
  await world.start();
  while (world.group.epoch < epochs) await world.step();
  world.epochs = world.group.epoch;
  if (!world.peers.every((peer) => peer.can.has("successors"))) return;
  const kinds = world.random.shuffle(world.peers.map((p) => p.kind));
  const has = world.peers.every((peer) => peer.has(Number(next ?? suite)));
  const other = [];
  for (const peer of world.peers) other.push([peer.kind, await peer.ofSuite(Number(has && next ? next : suite))]);
  const byKind = Object.fromEntries(other);
  const [by, founder] = [kinds[0], kinds.at(-1)].map((kind) => world.some(kind) ?? world.group.list()[0]);
  await reinit(world, by, founder, byKind, Object.values(byKind)[0].suite);
  world.peers = other.map(([, peer]) => peer);
  while (world.group.epoch < AFTER_REINIT) await world.step();
  world.epochs += world.group.epoch;
  for (const kind of kinds) {
    const founder = world.some(kind);
    const others = founder === undefined ? [] : world.random.some(world.group.others(founder), 2);
    if (others.length === 0) continue;
    await branch(world, founder, others);
    for (const device of [founder, ...others]) world.group.members.delete(device.name);
  }
}

async function main() {
  const suite = Number(options.suite);
  const names = options.peers.split(",");
  const peers = [];
  for (const name of names) {
    const peer = await kinds[name].open({ suite, program: options.peer, privateHandshakes: options.private });
    if (peer === null) {
      console.log(`skipped: ${name} has no suite ${suite} in this build`);
      return 77;
    }
    peers.push(peer);
  }
  const seed = Number(options.seed);
  const started = Date.now();
  const handshakes = options.private ? "; private handshakes" : "";
  console.log(`peers ${names.join(", ")}; suite ${suite}; seed ${seed}${handshakes}`);
  const log = options.verbose ? console.log : undefined;
  const world = new World({ peers, seed, most: options.members, privateHandshakes: options.private, log });
  try {
    await live(world, Number(options.epochs), options);
  } catch (error) {
    console.log(`FAILED with --seed ${seed} in epoch ${world.group?.epoch}; last actions:`);
    for (const line of world.actions.slice(-25)) console.log(`  ${line}`);
    console.log(inspect(error, { depth: 6 }));
    return 1;
  }
  await world.close();
  for (const peer of peers) await peer.close();
  report(world, names);
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  console.log(`${world.epochs} epochs, ${world.made} devices, all of one mind; seed ${seed}; ${seconds} s`);
  return 0;
}

process.exit(await main());

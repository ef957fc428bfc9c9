// node refusals.mjs PEER [--suite 3] [--peer PROGRAM]: what the peers are known to get wrong is refused by this project,
// with its own error, with nothing changed; and the group goes on. PEER: ts-mls or core-crypto.
import { parseArgs } from "node:util";
import * as mls from "ts-mls";
import { CoreCrypto } from "./core-crypto.mjs";
import { Group } from "./group.mjs";
import { Hanse } from "./hanse.mjs";
import { Random } from "./random.mjs";
import { encodeMessage } from "./ts-mls-codec.mjs";
import { TsMls } from "./ts-mls.mjs";
import { wishesToAdd } from "./actions.mjs";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    suite: { type: "string", default: "3" },
    peer: { type: "string", default: process.env.MLS_PEER ?? "" },
  },
});

let made = 0;
const nameOf = (n) => `${String(n).padStart(8, "0")}-0000-4000-8000-000000000000:${n}@hanse.example`;

// A group of these kinds, in this order of leaves; the first one creates it.
async function groupOf(peers, kinds) {
  const random = new Random(1);
  const devices = [];
  for (const kind of kinds) devices.push(await peers[kind].device(nameOf(++made), random));
  const group = new Group({ random, log: () => {}, count: () => {} });
  await group.start(devices[0], []);
  await group.commit(devices[0], { wishes: await wishesToAdd(devices.slice(1)) });
  return { group, devices };
}

async function refused(what, code, device, action) {
  const before = JSON.stringify(device && (await device.view()));
  const error = await action().then(() => undefined, (e) => e);
  if (error === undefined) throw new Error(`${what}: not refused`);
  if (error.code !== code) throw new Error(`${what}: refused with ${error.code ?? error.stack}, not ${code}`);
  if (JSON.stringify(device && (await device.view())) !== before) throw new Error(`${what}: something changed`);
  console.log(`${what}: ${code}`);
}

const goOn = (group, by) => group.commit(by, {});

const tests = {
  "ts-mls": {
    async "a commit with GroupContextExtensions that has no path"(peers, what) {
      const { group, devices: [hanse, ts] } = await groupOf(peers, ["hanse", "ts-mls"]);
      const { commit } = await ts.commit({ wishes: [{ extensions: [{ type: 0xf4a1, data: new Uint8Array(3) }] }] });
      await refused(what, "MLS_COMMIT", hanse, () => hanse.process(commit));
      await ts.settle(false);
      await goOn(group, ts);
    },
    async "a path for the context with the old extensions"(peers, what) {
      const { group, devices: [hanse, ts, third] } = await groupOf(peers, ["hanse", "ts-mls", "ts-mls"]);
      const wishes = [{ extensions: [{ type: 0xf4a1, data: new Uint8Array(3) }] }, { remove: third.name }];
      const { commit } = await ts.commit({ wishes });
      await refused(what, "DECRYPT", hanse, () => hanse.process(commit));
      await ts.settle(false);
      await goOn(group, ts);
    },
    async "external_pub without its length"(peers, what) {
      const { devices: [, ts] } = await groupOf(peers, ["hanse", "ts-mls"]);
      const info = await mls.createGroupInfoWithExternalPubAndRatchetTree(ts.state, [], peers["ts-mls"].cs);
      const joiner = await peers.hanse.device(nameOf(++made), new Random(2));
      await refused(what, "MALFORMED", undefined, () =>
        joiner.joinExternal(encodeMessage("mls_group_info", "groupInfo", info)));
    },
    async "a commit secret derived once too often"(peers, what) {
      const { group, devices } = await groupOf(peers, ["hanse", "hanse", "hanse", "ts-mls"]);
      const [first, second, hanse, ts] = devices;
      const { commit } = await ts.commit({ wishes: [{ remove: first.name }, { remove: second.name }] });
      await refused(what, "MLS_CONFIRMATION", hanse, () => hanse.process(commit));
      await ts.settle(false);
      await goOn(group, ts);
    },
  },
  "core-crypto": {
    async "a commit signed by the key that it brings"(peers, what) {
      const { group, devices: [hanse, cc] } = await groupOf(peers, ["hanse", "core-crypto"]);
      const { commit } = await cc.commitNewCredential();
      await refused(what, "BAD_SIGNATURE", hanse, () => hanse.process(commit));
      await cc.settle(false);
      await goOn(group, hanse);
    },
    async "a path through nodes that were cut off"(peers, what) {
      const { group, devices } = await groupOf(peers, ["hanse", "hanse", "hanse", "core-crypto"]);
      const [hanse, , third, cc] = devices;
      await group.commit(hanse, { wishes: [{ remove: third.name }] });
      const { commit } = await cc.joinExternal(group.groupInfo, { resync: true });
      await refused(what, "MLS_COMMIT", hanse, () => hanse.process(commit));
      await cc.settle(false);
    },
  },
};

const kinds = { hanse: Hanse, "ts-mls": TsMls, "core-crypto": CoreCrypto };
const peers = {};
for (const kind of ["hanse", positionals[0]]) {
  peers[kind] = await kinds[kind].open({ suite: Number(options.suite), program: options.peer });
  if (peers[kind] === null) process.exit(77);
}
for (const [what, test] of Object.entries(tests[positionals[0]])) await test(peers, what);
await peers.hanse.close();
process.exit(0);

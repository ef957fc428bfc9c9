// What a hub of this project keeps: the public group, which follows the handshakes and judges them without secrets.
import { fromBase64, hex, text } from "./bytes.mjs";
import { Disagreement } from "./group.mjs";

export class Shadow {
  constructor(hanse, random) {
    Object.assign(this, { hanse, random, running: false });
  }

  async start(groupInfo) {
    await this.hanse.call("hub_new", { group_info: groupInfo });
    this.running = true;
  }

  async process(message, groupInfo) {
    // A group that nobody gives the first GroupInfo of is followed from its second epoch on.
    if (!this.running) return groupInfo && this.start(groupInfo);
    await this.hanse.call("hub_process", { message, group_info: groupInfo });
    if (this.random.chance(20)) await this.hanse.call("hub_restart");
  }

  async leafOf(name) {
    const { members } = await this.hanse.call("hub_view");
    return members.find((m) => text(fromBase64(m.identity)) === name).leaf;
  }

  async agree(epoch, members, treeHash) {
    if (!this.running) return;
    const view = await this.hanse.call("hub_view");
    const names = view.members.map((m) => text(fromBase64(m.identity))).sort().join(" ");
    if (view.epoch !== epoch) throw new Disagreement(`the hub is in epoch ${view.epoch}, not ${epoch}`);
    if (names !== members) throw new Disagreement(`the hub sees other members: ${names}`);
    if (treeHash !== undefined && hex(fromBase64(view.tree_hash)) !== treeHash)
      throw new Disagreement("the hub has another tree hash");
  }
}

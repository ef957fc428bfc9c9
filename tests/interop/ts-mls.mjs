// ts-mls as a peer. What its release gets wrong is worked around here, and told in README.md.
import * as mls from "ts-mls";
import { createGroupInfoWithRatchetTree } from "ts-mls/createCommit.js";
import { encodeRatchetTree } from "ts-mls/ratchetTree.js";
import { encodeLeafNodeTBS } from "ts-mls/leafNode.js";
import { signWithLabel } from "ts-mls/crypto/signature.js";
import { hex, same, text, utf8 } from "./bytes.mjs";
import {
  decodeMessage, encodeMessage, prefixed, readingPrefixedKeys, suiteNames, toExtension,
} from "./ts-mls-codec.mjs";
import { decodeTree, refusedByTsMls, treeOf } from "./tree.mjs";

const can = new Set([
  "propose", "group info", "psk", "resumption psk", "mixed commit", "tree apart", "resync", "self proposal",
  "successors",
]);

// An unknown extension in some KeyPackages.
const OWN_EXTENSION = 0x4a4a;

export class TsMls {
  static kind = "ts-mls";

  static async open({ suite }) {
    const peer = new TsMls();
    Object.assign(peer, { kind: TsMls.kind, can, suite });
    peer.cs = await mls.getCiphersuiteImpl(mls.getCiphersuiteFromName(suiteNames[suite]));
    return peer;
  }

  has(suite) {
    return suite in suiteNames;
  }

  ofSuite(suite) {
    return TsMls.open({ suite });
  }

  async device(name, random) {
    const device = new TsDevice(this, name, random);
    device.keys = await this.cs.signature.keygen();
    return device;
  }

  close() {}
}

class TsDevice {
  constructor(peer, name, random) {
    Object.assign(this, { peer, name, random, kind: peer.kind, can: peer.can, psks: {}, state: null });
  }

  capabilities() {
    const grease = [0x0a0a, 0x1a1a, 0x2a2a, 0x7a7a, 0xdada, 0xeaea];
    const some = () => grease.filter(() => this.random.chance(20));
    return {
      versions: ["mls10"],
      ciphersuites: [this.peer.cs.name, ...some().map(String)],
      extensions: [...new Set([0xf4a1, OWN_EXTENSION, ...some()])],
      proposals: some(),
      credentials: ["basic", "x509", ...some().map(String)],
    };
  }

  async newKeyPackage() {
    const now = BigInt(Math.floor(Date.now() / 1000));
    const pair = await mls.generateKeyPackageWithKey(
      { credentialType: "basic", identity: utf8(this.name) },
      this.capabilities(),
      { notBefore: now - 3600n, notAfter: now + 30n * 86400n },
      this.random.chance(30) ? [{ extensionType: OWN_EXTENSION, extensionData: this.random.bytes(5) }] : [],
      this.keys,
      this.peer.cs,
    );
    this.pair = pair;
    return pair;
  }

  async keyPackage() {
    const { publicPackage } = await this.newKeyPackage();
    return encodeMessage("mls_key_package", "keyPackage", publicPackage);
  }

  learnPsk(id, secret) {
    this.psks[mls.bytesToBase64(id)] = secret;
  }

  pskIndex(state = this.state) {
    return mls.makePskIndex(state ?? undefined, this.psks);
  }

  async create(groupId, extensions = []) {
    const { publicPackage, privatePackage } = await this.newKeyPackage();
    const list = extensions.map(toExtension);
    this.state = await mls.createGroup(groupId, publicPackage, privatePackage, list, this.peer.cs);
  }

  async joinWelcome(bytes, tree) {
    const { publicPackage, privatePackage } = this.pair;
    this.state = await mls.joinGroup(
      decodeMessage(bytes).welcome, publicPackage, privatePackage, this.pskIndex(null), this.peer.cs,
      decodeTree(tree),
    );
  }

  // True where this release would refuse a sound tree; given as the group info that carries it.
  refusesGroup(groupInfo) {
    return refusedByTsMls(treeOf(groupInfo));
  }

  async joinExternal(groupInfo, { resync = false } = {}) {
    const { publicPackage, privatePackage } = await this.newKeyPackage();
    const { groupInfo: info } = decodeMessage(groupInfo);
    const cs = readingPrefixedKeys(this.peer.cs);
    const { publicMessage, newState } =
      await mls.joinGroupExternal(info, publicPackage, privatePackage, resync, cs);
    this.pending = newState;
    return { commit: encodeMessage("mls_public_message", "publicMessage", publicMessage) };
  }

  leafOf(name) {
    const at = this.state.ratchetTree.findIndex(
      (n) => n?.nodeType === "leaf" && text(n.leaf.credential.identity) === name);
    if (at < 0) throw new Error(`${name} is not in the tree of ${this.name}`);
    return at / 2;
  }

  async proposalFrom(wish) {
    if (wish.add !== undefined)
      return { proposalType: "add", add: { keyPackage: decodeMessage(wish.add).keyPackage } };
    if (wish.remove !== undefined)
      return { proposalType: "remove", remove: { removed: this.leafOf(wish.remove) } };
    if (wish.extensions !== undefined)
      return {
        proposalType: "group_context_extensions",
        groupContextExtensions: { extensions: wish.extensions.map(toExtension) },
      };
    if (wish.reinit !== undefined) {
      const { groupId, suite } = wish.reinit;
      const reinit = { groupId, version: "mls10", cipherSuite: suiteNames[suite], extensions: [] };
      return { proposalType: "reinit", reinit };
    }
    if (wish.psk !== undefined) return { proposalType: "psk", psk: { preSharedKeyId: this.pskId(wish.psk) } };
    throw new Error(`no such proposal: ${Object.keys(wish)}`);
  }

  pskId(psk) {
    const pskNonce = this.peer.cs.rng.randomBytes(this.peer.cs.kdf.size);
    if (psk.id !== undefined) return { psktype: "external", pskId: psk.id, pskNonce };
    const { groupId } = this.state.groupContext;
    return {
      psktype: "resumption", usage: "application", pskGroupId: groupId, pskEpoch: BigInt(psk.epoch), pskNonce,
    };
  }

  async commit({ wishes = [], isPrivate = false, treeInWelcome = true }) {
    const result = await mls.createCommit(
      { state: this.state, cipherSuite: this.peer.cs, pskIndex: this.pskIndex() },
      {
        wireAsPublicMessage: !isPrivate,
        extraProposals: await Promise.all(wishes.map((w) => this.proposalFrom(w))),
        ratchetTreeExtension: treeInWelcome,
        authenticatedData: this.random.bytes(this.random.below(20)),
      },
    );
    this.pending = result.newState;
    return {
      commit: mls.encodeMlsMessage(result.commit),
      welcome: result.welcome && encodeMessage("mls_welcome", "welcome", result.welcome),
      groupInfo: await this.groupInfoOf(result.newState),
      tree: encodeRatchetTree(result.newState.ratchetTree),
    };
  }

  async settle(accepted) {
    if (accepted) this.state = this.pending;
    this.pending = null;
  }

  // An Update needs its new leaf key kept until the commit comes; this release has no call for it.
  async proposeUpdate(isPrivate) {
    const { cs } = this.peer;
    const { state } = this;
    const leafIndex = state.privatePath.leafIndex;
    const { leaf } = state.ratchetTree[leafIndex * 2];
    const pair = await cs.hpke.generateKeyPair();
    const tbs = {
      leafNodeSource: "update",
      hpkePublicKey: await cs.hpke.exportPublicKey(pair.publicKey),
      signaturePublicKey: leaf.signaturePublicKey,
      credential: leaf.credential,
      capabilities: leaf.capabilities,
      extensions: leaf.extensions,
      groupId: state.groupContext.groupId,
      leafIndex,
    };
    const signature = await signWithLabel(
      state.signaturePrivateKey, "LeafNodeTBS", encodeLeafNodeTBS(tbs), cs.signature);
    const leafNode = { ...tbs, signature };
    this.update = { pub: tbs.hpkePublicKey, key: await cs.hpke.exportPrivateKey(pair.privateKey) };
    return this.send({ proposalType: "update", update: { leafNode } }, isPrivate);
  }

  async propose(wish, { isPrivate = false } = {}) {
    if (wish.update) return this.proposeUpdate(isPrivate);
    return this.send(await this.proposalFrom(wish), isPrivate);
  }

  async send(proposal, isPrivate) {
    const result = await mls.createProposal(
      this.state, !isPrivate, proposal, this.peer.cs, this.random.bytes(this.random.below(9)));
    this.state = result.newState;
    return mls.encodeMlsMessage(result.message);
  }

  // A newcomer asks to be let in (sender new_member_proposal).
  async proposeSelf(groupInfo) {
    const { publicPackage, privatePackage } = await this.newKeyPackage();
    const { groupInfo: info } = decodeMessage(groupInfo);
    const message = await mls.proposeAddExternal(info, publicPackage, privatePackage, this.peer.cs);
    return mls.encodeMlsMessage(message);
  }

  async process(bytes) {
    const message = decodeMessage(bytes);
    const isPublic = message.wireformat === "mls_public_message";
    const type = isPublic ? message.publicMessage.content.contentType : message.privateMessage.contentType;
    const before = type === "commit" ? await this.withOwnUpdate(message) : this.state;
    let removed = false;
    const look = ({ proposals = [] }) => {
      const own = before.privatePath.leafIndex;
      removed = proposals.some(({ proposal }) => proposal.proposalType === "remove" && proposal.remove.removed === own);
      return "accept";
    };
    const result = await this.processIn(before, message, look).catch((error) => {
      // Where a commit gives the leaf of a removed member to a newcomer, this release doesn't see the removal.
      if (!removed) throw error;
      return { newState: this.state };
    });
    this.state = result.newState;
    return type === "application" ? { kind: type, data: result.message } : { kind: type, removed };
  }

  processIn(state, message, decide = mls.acceptAll) {
    const [run, content] =
      message.wireformat === "mls_public_message"
        ? [mls.processPublicMessage, message.publicMessage]
        : [mls.processPrivateMessage, message.privateMessage];
    return run(state, content, this.pskIndex(), this.peer.cs, decide);
  }

  // Where one's own Update is committed, the path is for the new leaf key. Its proposals tell: a first look at the
  // commit refuses it and changes nothing.
  async withOwnUpdate(message) {
    const { state, update } = this;
    if (update === undefined) return state;
    this.update = undefined;
    let committed = false;
    await this.processIn(state, message, ({ proposals }) => {
      committed = proposals.some(({ proposal }) =>
        proposal.proposalType === "update" && same(proposal.update.leafNode.hpkePublicKey, update.pub));
      return "reject";
    });
    if (!committed) return state;
    const privateKeys = { ...state.privatePath.privateKeys, [state.privatePath.leafIndex * 2]: update.key };
    return { ...state, privatePath: { ...state.privatePath, privateKeys } };
  }

  async protect(data) {
    const result = await mls.createApplicationMessage(
      this.state, data, this.peer.cs, this.random.bytes(this.random.below(9)));
    this.state = result.newState;
    return encodeMessage("mls_private_message", "privateMessage", result.privateMessage);
  }

  async groupInfoOf(state) {
    const { cs } = this.peer;
    const pair = await cs.hpke.deriveKeyPair(state.keySchedule.externalSecret);
    const pub = prefixed(await cs.hpke.exportPublicKey(pair.publicKey));
    const info = await createGroupInfoWithRatchetTree(
      state.groupContext, state.confirmationTag, state, state.ratchetTree,
      [{ extensionType: "external_pub", extensionData: pub }], cs);
    return encodeMessage("mls_group_info", "groupInfo", info);
  }

  async groupInfo() {
    return this.groupInfoOf(this.state);
  }

  async exporter(label, context, length) {
    const { exporterSecret } = this.state.keySchedule;
    return hex(await mls.mlsExporter(exporterSecret, label, context, length, this.peer.cs));
  }

  // The group that a ReInit announced, or a branch of this one, with these KeyPackages in it.
  async succeed({ branch, groupId, suite, adds, extensions }) {
    const packages = adds.map((bytes) => decodeMessage(bytes).keyPackage);
    const own = await this.newKeyPackage();
    const { newState, welcome } = branch
      ? await mls.branchGroup(this.state, own.publicPackage, own.privatePackage, packages, groupId, this.peer.cs)
      : await mls.reinitCreateNewGroup(
          this.state, own.publicPackage, own.privatePackage, packages, groupId, suiteNames[suite], extensions);
    this.state = newState;
    return {
      welcome: encodeMessage("mls_welcome", "welcome", welcome),
      tree: encodeRatchetTree(newState.ratchetTree),
    };
  }

  async joinSuccessor(bytes, tree, { branch }) {
    const { publicPackage, privatePackage } = this.pair;
    const { welcome } = decodeMessage(bytes);
    const join = branch
      ? mls.joinGroupFromBranch(this.state, welcome, publicPackage, privatePackage, decodeTree(tree), this.peer.cs)
      : mls.joinGroupFromReinit(this.state, welcome, publicPackage, privatePackage, decodeTree(tree));
    this.state = await join;
  }

  // For the group that follows by a ReInit: keys of its suite.
  async useSuite(peer) {
    this.peer = peer;
    this.keys = await peer.cs.signature.keygen();
  }

  async view() {
    const { groupContext, keySchedule, ratchetTree } = this.state;
    return {
      epoch: Number(groupContext.epoch),
      members: ratchetTree.filter((n) => n?.nodeType === "leaf").map((n) => text(n.leaf.credential.identity)).sort(),
      exporter: await this.exporter("exporter", new Uint8Array(), 32),
      authenticator: hex(keySchedule.epochAuthenticator),
      treeHash: hex(groupContext.treeHash),
    };
  }

  async leave() {
    this.state = null;
    this.update = undefined;
  }

  async close() {}
}

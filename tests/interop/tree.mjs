// What the runs have to know of ratchet trees, because of what some peers do with them.
import { decodeMlsMessage } from "ts-mls";
import { decodeRatchetTree } from "ts-mls/ratchetTree.js";
import { directPath, leafToNodeIndex, leafWidth } from "ts-mls/treemath.js";
import { text } from "./bytes.mjs";

export const decodeTree = (bytes) => bytes && decodeRatchetTree(bytes, 0)[0];

// The ratchet_tree extension of a GroupInfo (MLSMessage).
export function treeOf(groupInfo) {
  const { extensions } = decodeMlsMessage(groupInfo, 0)[0].groupInfo;
  return decodeTree(extensions.find((e) => e.extensionType === "ratchet_tree").extensionData);
}

// The members' names by leaf; undefined for a blank one.
export const namesOf = (tree) =>
  tree.filter((_, i) => i % 2 === 0).map((node) => node && text(node.leaf.credential.identity));

const sameList = (a, b) => a.length === b.length && a.every((value, i) => value === b[i]);

// ts-mls 1.6.4 refuses some sound trees. For each unmerged leaf of a parent it asks that all the non-blank parents
// above that leaf have the very same list; RFC 9420, 12.4.3.1 asks only that those in between list the leaf.
export function refusedByTsMls(tree) {
  const width = leafWidth(tree.length);
  const above = (leaf) => directPath(leafToNodeIndex(leaf), width).map((i) => tree[i]).filter((node) => node);
  return tree.some(
    (node) =>
      node?.nodeType === "parent" &&
      node.parent.unmergedLeaves.some((leaf) =>
        above(leaf).some((other) => !sameList(other.parent.unmergedLeaves, node.parent.unmergedLeaves))),
  );
}

const trimmed = (names) => names.slice(0, names.findLastIndex((name) => name !== undefined) + 1);
const widthOf = (names) => 2 ** Math.ceil(Math.log2(Math.max(1, trimmed(names).length)));

// The names by leaf after these have gone and so many have come (RFC 9420, 7.7 and 12.1.1).
function namesAfter(names, gone, adds) {
  const left = trimmed(names.map((name) => (gone.includes(name) ? undefined : name)));
  const out = [...left];
  for (let i = 0; i < adds; i++) {
    const blank = out.indexOf(undefined);
    out[blank < 0 ? out.length : blank] = "newcomer";
  }
  return { left, out };
}

// What a commit does to the tree's shape, as far as some peer doesn't stand it:
// core-crypto 10.3.0 doesn't take a commit by which the tree shrinks and grows again (a member comes back from the far
// end, or a newcomer comes as that one goes): in its tree the nodes that were cut off are there again.
// ts-mls 1.6.4 derives a commit secret once too often where the root isn't on the committer's filtered direct path, as
// when the left half of the tree is empty.
export function shapeAfter(tree, gone, adds) {
  const names = namesOf(tree);
  const { left, out } = namesAfter(names, gone, adds);
  const half = widthOf(out) / 2;
  return {
    regrows: widthOf(left) < widthOf(names) && widthOf(out) > widthOf(left),
    leftIsEmpty: half >= 1 && out.slice(0, half).every((name) => name === undefined),
  };
}

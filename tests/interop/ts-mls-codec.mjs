// What ts-mls takes and gives, as bytes; with the workarounds that are about encodings.
import * as mls from "ts-mls";

export const suiteNames = {
  1: "MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519",
  3: "MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519",
};

export const decodeMessage = (bytes) => {
  const decoded = mls.decodeMlsMessage(bytes, 0);
  if (decoded === undefined || decoded[1] !== bytes.length) throw new Error("ts-mls can't decode the message");
  return decoded[0];
};

export const encodeMessage = (wireformat, member, value) =>
  mls.encodeMlsMessage({ version: "mls10", wireformat, [member]: value });

// external_pub is a vector (RFC 9420, 12.4.3.2), but this release writes and reads the bare key.
export const prefixed = (key) => Uint8Array.from([key.length, ...key]);
export const readingPrefixedKeys = (cs) => ({
  ...cs,
  hpke: {
    ...cs.hpke,
    importPublicKey: (key) =>
      cs.hpke.importPublicKey(key.length === 33 && key[0] === 32 ? key.subarray(1) : key),
  },
});

export const toExtension = ({ type, data }) => {
  const name = Object.entries(mls.defaultExtensionTypes).find(([, number]) => number === type)?.[0];
  return { extensionType: name ?? type, extensionData: data };
};

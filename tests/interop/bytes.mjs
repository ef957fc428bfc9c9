export const utf8 = (string) => new TextEncoder().encode(string);
export const text = (bytes) => new TextDecoder().decode(bytes);
export const hex = (bytes) => Buffer.from(bytes).toString("hex");
export const toBase64 = (bytes) => Buffer.from(bytes).toString("base64url");
export const fromBase64 = (string) => new Uint8Array(Buffer.from(string, "base64"));
export const same = (a, b) => a.length === b.length && a.every((value, i) => value === b[i]);

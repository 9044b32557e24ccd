import { hkdf } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";

/** SHA-256 of a label and some bytes; the label ends in a zero byte, so no label is the start of another's input. */
export function labelledHash(label: string, ...parts: readonly Uint8Array[]): Uint8Array {
  return sha256(concatBytes(utf8ToBytes(label), Uint8Array.of(0), ...parts));
}

/** HKDF-SHA256 (RFC 5869) with a labelled `info`. */
export function deriveKey(input: {
  secret: Uint8Array;
  salt: Uint8Array;
  label: string;
  info: Uint8Array;
  bytes: number;
}) {
  const info = concatBytes(utf8ToBytes(input.label), Uint8Array.of(0), input.info);
  return hkdf(sha256, input.secret, input.salt, info, input.bytes);
}

/** HMAC-SHA256 of a label and some bytes. */
export function labelledTag(key: Uint8Array, label: string, ...parts: readonly Uint8Array[]): Uint8Array {
  return hmac(sha256, key, concatBytes(utf8ToBytes(label), Uint8Array.of(0), ...parts));
}

/** Two integers of 32 bits, little-endian: who and who, in the order given. */
export function pairBytes(first: number, second: number): Uint8Array {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, first, true);
  view.setUint32(4, second, true);
  return bytes;
}

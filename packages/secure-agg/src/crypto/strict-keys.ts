import { equalBytes } from "@noble/ciphers/utils.js";
import { ED25519_TORSION_SUBGROUP, ed25519 } from "@noble/curves/ed25519.js";
import { hexToBytes } from "@noble/hashes/utils.js";
import type { CryptoBackend } from "./backend.ts";

const smallOrder = ED25519_TORSION_SUBGROUP.map((hex) => hexToBytes(hex));
const fieldPrime = ed25519.Point.Fp.ORDER;
const groupOrder = ed25519.Point.Fn.ORDER;

/** Whether an Ed25519 public key is canonical and not of small order; others are refused at enrolment and in rosters. */
export function isStrictPublicKey(publicKey: Uint8Array): boolean {
  if (publicKey.length !== 32) return false;
  const y = publicKey.slice();
  y[31]! &= 0x7f;
  if (littleEndian(y) >= fieldPrime) return false;
  return !smallOrder.some((point) => {
    const torsion = point.slice();
    torsion[31]! &= 0x7f;
    return equalBytes(torsion, y);
  });
}

/** Strict Ed25519: refuses small-order and non-canonical keys and a malleable S before asking the backend. */
export async function verifySignature(
  crypto: CryptoBackend,
  signed: { publicKey: Uint8Array; message: Uint8Array; signature: Uint8Array },
): Promise<boolean> {
  if (signed.signature.length !== 64 || !isStrictPublicKey(signed.publicKey)) return false;
  if (littleEndian(signed.signature.subarray(32)) >= groupOrder) return false;
  return crypto.ed25519Verify(signed);
}

// The u-coordinates of small order, p and p + 1 included: RFC 7748 §6.1, cr.yp.to/ecdh.html.
const smallOrderU = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
].map((hex) => hexToBytes(hex));

/** Whether an X25519 public key has small order, so that every shared secret with it is zero. */
export function isSmallOrderPoint(publicKey: Uint8Array): boolean {
  const u = publicKey.slice();
  // RFC 7748 §5: the top bit is ignored.
  u[31]! &= 0x7f;
  return smallOrderU.some((point) => equalBytes(point, u));
}

function littleEndian(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 32);
  let value = 0n;
  for (let at = 24; at >= 0; at -= 8) value = (value << 64n) | view.getBigUint64(at, true);
  return value;
}

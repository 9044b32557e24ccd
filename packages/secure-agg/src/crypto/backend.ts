import { equalBytes } from "@noble/ciphers/utils.js";
import { ED25519_TORSION_SUBGROUP, ed25519 } from "@noble/curves/ed25519.js";
import { hexToBytes } from "@noble/hashes/utils.js";
import { ProtocolError } from "@tributary/protocol";

type Awaitable<Value> = Value | Promise<Value>;

/** An X25519 key pair, 32 bytes each. One pair has one purpose in one session. */
export interface KeyPair {
  readonly publicKey: Uint8Array;
  readonly secretKey: Uint8Array;
}

/**
 * The platform's cryptography. Every backend gives the same bytes (test/vectors/secure-agg-crypto.test.ts); callers go
 * through `sharedSecret` and `verifySignature` below, which refuse what some backends let pass.
 */
export interface CryptoBackend {
  readonly name: string;
  /** Secret-grade random bytes; a simulation passes a backend whose bytes come from its seed. */
  randomBytes(length: number): Uint8Array;
  publicKeyOf(secretKey: Uint8Array): Awaitable<Uint8Array>;
  /** The X25519 function as in RFC 7748; may throw, or give zeros, on a point of small order. */
  x25519(secretKey: Uint8Array, publicKey: Uint8Array): Awaitable<Uint8Array>;
  /** Plain Ed25519 verification. */
  ed25519Verify(signed: { publicKey: Uint8Array; message: Uint8Array; signature: Uint8Array }): Awaitable<boolean>;
  sha256(bytes: Uint8Array): Awaitable<Uint8Array>;
}

/** A device's long-term Ed25519 key; where the secret half lives is the platform's business. */
export interface Signer {
  readonly publicKey: Uint8Array;
  sign(message: Uint8Array): Awaitable<Uint8Array>;
}

/** A fresh key pair from the backend's random bytes. */
export async function freshKeyPair(crypto: CryptoBackend): Promise<KeyPair> {
  const secretKey = crypto.randomBytes(32);
  return { secretKey, publicKey: await crypto.publicKeyOf(secretKey) };
}

const zero = new Uint8Array(32);

/** The X25519 shared secret. Throws `ProtocolError("secure_key")` for a public key of small order, on every backend. */
export async function sharedSecret(crypto: CryptoBackend, secretKey: Uint8Array, publicKey: Uint8Array) {
  let shared: Uint8Array;
  try {
    shared = await crypto.x25519(secretKey, publicKey);
  } catch (cause) {
    throw new ProtocolError("secure_key", "an X25519 public key was refused: its point has small order", { cause });
  }
  // RFC 7748 §6.1: all-zero output means that the peer contributed nothing. tweetnacl returns it without a word.
  if (equalBytes(shared, zero)) {
    throw new ProtocolError("secure_key", "an X25519 public key was refused: the shared secret is all zero");
  }
  return shared;
}

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

function littleEndian(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 32);
  let value = 0n;
  for (let at = 24; at >= 0; at -= 8) value = (value << 64n) | view.getBigUint64(at, true);
  return value;
}

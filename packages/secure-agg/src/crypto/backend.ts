import { equalBytes } from "@noble/ciphers/utils.js";
import { ProtocolError } from "@tributary/protocol";

type Awaitable<Value> = Value | Promise<Value>;

/** An X25519 key pair, 32 bytes each. One pair has one purpose in one session. */
export interface KeyPair {
  readonly publicKey: Uint8Array;
  readonly secretKey: Uint8Array;
}

/**
 * The platform's cryptography. Every backend gives the same bytes (test/vectors/secure-agg-crypto.test.ts); callers go
 * through `sharedSecret` and `verifySignature`, which refuse what some backends let pass.
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

import { sha256 } from "@noble/hashes/sha2.js";
import nacl from "tweetnacl";
import type { CryptoBackend, Signer } from "./backend.ts";

/** tweetnacl and @noble/hashes: runs anywhere. `randomBytes` defaults to the platform's generator. */
export function portableCrypto(randomBytes: (length: number) => Uint8Array = nacl.randomBytes): CryptoBackend {
  return {
    name: "portable",
    randomBytes,
    publicKeyOf: (secretKey) => nacl.scalarMult.base(secretKey),
    x25519: (secretKey, publicKey) => nacl.scalarMult(secretKey, publicKey),
    ed25519Verify: ({ publicKey, message, signature }) => nacl.sign.detached.verify(message, signature, publicKey),
    sha256,
  };
}

/** A signer that holds its 32-byte seed in memory: for Node's key file, for simulations, for tests. */
export function seedSigner(seed: Uint8Array): Signer {
  const pair = nacl.sign.keyPair.fromSeed(seed);
  return { publicKey: pair.publicKey, sign: (message) => nacl.sign.detached(message, pair.secretKey) };
}

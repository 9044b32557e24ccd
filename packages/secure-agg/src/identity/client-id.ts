import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { ClientId } from "@tributary/protocol";

/** The id that an Ed25519 public key has in every federation: nobody can take another's, and nobody gets two for one key. */
export function clientIdOf(publicKey: Uint8Array): ClientId {
  return `client-${bytesToHex(sha256(publicKey)).slice(0, 32)}` as ClientId;
}

import * as crypto from "node:crypto";
import type { DeviceKeys } from "@tributary/participant";
import { fromBase64, ProtocolError } from "@tributary/protocol";
import { nodeSigner, type Signer } from "@tributary/secure-agg";

/** The signer of a 32-byte seed in base64, as key files hold it. */
export function signerOf(seed: string): Signer {
  return nodeSigner(crypto, fromBase64(seed));
}

/** A new seed in base64. A secret: it belongs into a file that only its owner can read. */
export function newSeed(): string {
  return crypto.randomBytes(32).toString("base64");
}

/**
 * The keys of one secret, as `TRIBUTARY_DEVICE_KEY` carries it: 32 bytes in base64, of which every device of the process
 * has its own key by its name (HMAC-SHA-256). Throws `bad_data` for another length; the secret is not in the message.
 */
export function keysFromSecret(secret: string): DeviceKeys {
  if (!/^[A-Za-z0-9+/]{43}=$/.test(secret)) {
    throw new ProtocolError(
      "bad_data",
      "TRIBUTARY_DEVICE_KEY: expected 32 random bytes in base64, as of: openssl rand -base64 32",
    );
  }
  return {
    async signerFor(_coordinator, device) {
      const seed = crypto.createHmac("sha256", fromBase64(secret)).update(`tributary device key v1 ${device}`).digest();
      return nodeSigner(crypto, seed);
    },
  };
}

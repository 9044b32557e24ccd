import { equalBytes } from "@noble/ciphers/utils.js";
import { ProtocolError } from "@tributary/protocol";
import type { CryptoBackend } from "../crypto/backend.ts";
import { malformed } from "../crypto/bytes.ts";
import { headerBytes, openMessage, readMessage } from "./header.ts";

/** Bytes of R2 before the packed vector: the header and the vector's SHA-256. */
export const maskedHeaderBytes = headerBytes + 32;

/** R2, client → coordinator: the masked vector's low bits, packed, and their digest. */
export async function encodeMasked(crypto: CryptoBackend, sessionId: Uint8Array, packed: Uint8Array) {
  const header = openMessage("masked", sessionId)
    .raw(await crypto.sha256(packed))
    .finish();
  const message = new Uint8Array(header.length + packed.length);
  message.set(header);
  message.set(packed, header.length);
  return message;
}

/** A view of the packed vector. Throws `ProtocolError` for another length ("secure_message") or digest ("bad_digest"). */
export async function decodeMasked(crypto: CryptoBackend, sessionId: Uint8Array, message: Uint8Array, bytes: number) {
  if (message.length !== maskedHeaderBytes + bytes) {
    malformed("masked", `${maskedHeaderBytes + bytes} bytes`, `${message.length}`);
  }
  const digest = readMessage("masked", sessionId, message.subarray(0, maskedHeaderBytes)).raw(32);
  const packed = message.subarray(maskedHeaderBytes);
  if (!equalBytes(digest, await crypto.sha256(packed))) {
    throw new ProtocolError("bad_digest", "the masked vector does not match its digest: send it again");
  }
  return packed;
}

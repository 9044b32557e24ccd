import { concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import type { CryptoBackend, Signer } from "../crypto/backend.ts";
import { verifySignature } from "../crypto/strict-keys.ts";
import { headerBytes, openMessage, readMessage } from "./header.ts";

/** A client's keys for one session, signed by its device key. `channelKey` seals envelopes, `maskKey` makes masks. */
export interface Advertisement {
  readonly channelKey: Uint8Array;
  readonly maskKey: Uint8Array;
  readonly signature: Uint8Array;
}

export const advertisementBytes = headerBytes + 128;

export function encodeAdvertisement(configHash: Uint8Array, { channelKey, maskKey, signature }: Advertisement) {
  return openMessage("advertisement", configHash).raw(channelKey).raw(maskKey).raw(signature).finish();
}

export function decodeAdvertisement(configHash: Uint8Array, bytes: Uint8Array): Advertisement {
  const reader = readMessage("advertisement", configHash, bytes);
  const advertisement = { channelKey: reader.raw(32), maskKey: reader.raw(32), signature: reader.raw(64) };
  reader.finish();
  return advertisement;
}

type Keys = Pick<Advertisement, "channelKey" | "maskKey">;

/** Signs keys for one configuration: they cannot be moved to another session, nor to another client's name. */
export async function signKeys(signer: Signer, bound: { configHash: Uint8Array; client: string }, keys: Keys) {
  return signer.sign(signedBytes(bound, keys));
}

/** Whether `identityKey` signed these keys for this configuration and client; small-order identity keys never did. */
export function verifyKeys(
  crypto: CryptoBackend,
  bound: { configHash: Uint8Array; client: string; identityKey: Uint8Array },
  advertisement: Advertisement,
): Promise<boolean> {
  const message = signedBytes(bound, advertisement);
  return verifySignature(crypto, { publicKey: bound.identityKey, message, signature: advertisement.signature });
}

function signedBytes(bound: { configHash: Uint8Array; client: string }, keys: Keys): Uint8Array {
  // Everything but the client's name has a fixed length, so the name can go last.
  const label = utf8ToBytes("SA1/advertise\0");
  return concatBytes(label, bound.configHash, keys.channelKey, keys.maskKey, utf8ToBytes(bound.client));
}

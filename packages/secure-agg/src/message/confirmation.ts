import { malformed } from "../crypto/bytes.ts";
import { labelledHash, labelledTag, pairBytes } from "../crypto/derive.ts";
import { encodeBitmap, readBitmap } from "./bitmap.ts";
import { headerBytes, openMessage, readMessage } from "./header.ts";

/** The question of step 4: whose vectors arrived (U3), the same bytes for every survivor. */
export function encodeConfirmQuestion(sessionId: Uint8Array, survivors: readonly number[], size: number): Uint8Array {
  return openMessage("confirmQuestion", sessionId).raw(encodeBitmap(survivors, size)).finish();
}

export function decodeConfirmQuestion(sessionId: Uint8Array, bytes: Uint8Array, size: number): number[] {
  const reader = readMessage("confirmQuestion", sessionId, bytes);
  const survivors = readBitmap(reader, size);
  reader.finish();
  return survivors;
}

/** H(U3): what the members confirm to one another, and what a device answers for once. */
export function survivorsHashOf(sessionId: Uint8Array, survivors: readonly number[], size: number): Uint8Array {
  return labelledHash("SA1/survivors", sessionId, encodeBitmap(survivors, size));
}

/** The tag by which `from` tells `to` which survivors it was told of; the pair's mac key, direction in the label. */
export function confirmationTag(
  macKey: Uint8Array,
  told: { sessionId: Uint8Array; survivorsHash: Uint8Array; from: number; to: number },
): Uint8Array {
  return labelledTag(macKey, "SA1/confirm", told.sessionId, told.survivorsHash, pairBytes(told.from, told.to));
}

/** R3, client → coordinator: one tag per surviving peer, ascending. */
export function encodeConfirmation(sessionId: Uint8Array, tags: readonly Uint8Array[]): Uint8Array {
  const writer = openMessage("confirmation", sessionId, headerBytes + 32 * tags.length);
  for (const tag of tags) writer.raw(tag);
  return writer.finish();
}

export function decodeConfirmation(sessionId: Uint8Array, bytes: Uint8Array, tags: number): Uint8Array[] {
  const reader = readMessage("confirmation", sessionId, bytes);
  const read = Array.from({ length: tags }, () => reader.view(32));
  reader.finish();
  return read;
}

/** The question of step 5: the set again, by its hash, and the tag of each surviving peer, or none, ascending. */
export interface UnmaskQuestion {
  readonly survivorsHash: Uint8Array;
  readonly tags: readonly (Uint8Array | undefined)[];
}

export function encodeUnmaskQuestion(sessionId: Uint8Array, question: UnmaskQuestion): Uint8Array {
  const writer = openMessage("unmaskQuestion", sessionId, headerBytes + 36 + 33 * question.tags.length)
    .raw(question.survivorsHash)
    .u32(question.tags.length);
  for (const tag of question.tags) {
    writer.u8(tag === undefined ? 0 : 1);
    if (tag !== undefined) writer.raw(tag);
  }
  return writer.finish();
}

export function decodeUnmaskQuestion(sessionId: Uint8Array, bytes: Uint8Array): UnmaskQuestion {
  const reader = readMessage("unmaskQuestion", sessionId, bytes);
  const survivorsHash = reader.raw(32);
  const count = reader.u32();
  if (count > bytes.length) malformed("unmaskQuestion", "as many tags as it says", "fewer");
  const tags = Array.from({ length: count }, () => {
    const present = reader.u8();
    if (present > 1) malformed("unmaskQuestion", "0 or 1 before a tag", `${present}`);
    return present === 1 ? reader.raw(32) : undefined;
  });
  reader.finish();
  return { survivorsHash, tags };
}

import { bitmapBytes, encodeBitmap, readBitmap } from "./bitmap.ts";
import { envelopeBytes } from "./envelope.ts";
import { headerBytes, openMessage, readMessage } from "./header.ts";

/**
 * R1, client → coordinator: a commitment to b, and one envelope per peer, in ascending order of the peers. Decoded, they
 * are views of the message.
 */
export interface Shares {
  readonly commitment: Uint8Array;
  readonly envelopes: readonly Uint8Array[];
}

export function encodeShares(sessionId: Uint8Array, { commitment, envelopes }: Shares): Uint8Array {
  const writer = openMessage("shares", sessionId, 128 + envelopes.length * envelopeBytes).raw(commitment);
  for (const envelope of envelopes) writer.raw(envelope);
  return writer.finish();
}

export function decodeShares(sessionId: Uint8Array, bytes: Uint8Array, peers: number): Shares {
  const reader = readMessage("shares", sessionId, bytes);
  const commitment = reader.view(32);
  const envelopes = Array.from({ length: peers }, () => reader.view(envelopeBytes));
  reader.finish();
  return { commitment, envelopes };
}

/** The question of step 3: who shared (U2), and the envelopes for this client from its peers among them, ascending. */
export interface MaskQuestion {
  readonly sharers: readonly number[];
  readonly envelopes: readonly Uint8Array[];
}

export function encodeMaskQuestion(sessionId: Uint8Array, question: MaskQuestion, size: number): Uint8Array {
  const bytes = 64 + bitmapBytes(size) + question.envelopes.length * envelopeBytes;
  const writer = openMessage("maskQuestion", sessionId, bytes).raw(encodeBitmap(question.sharers, size));
  for (const envelope of question.envelopes) writer.raw(envelope);
  return writer.finish();
}

export function decodeMaskQuestion(sessionId: Uint8Array, bytes: Uint8Array, size: number): MaskQuestion {
  const reader = readMessage("maskQuestion", sessionId, bytes);
  const sharers = readBitmap(reader, size);
  const count = Math.floor((bytes.length - headerBytes - bitmapBytes(size)) / envelopeBytes);
  const envelopes = Array.from({ length: count }, () => reader.view(envelopeBytes));
  reader.finish();
  return { sharers, envelopes };
}

import { type ByteWriter, malformed } from "../crypto/bytes.ts";
import { bitmapBytes, encodeBitmap, readBitmap } from "./bitmap.ts";
import { envelopeBytes } from "./envelope.ts";
import { headerBytes, openMessage, readMessage } from "./header.ts";

const commitmentBytes = 32;
const envelopesAt = headerBytes + commitmentBytes;

/** R1, client → coordinator: a commitment to b, and one envelope per peer, in ascending order of the peers. */
export function encodeShares(sessionId: Uint8Array, shares: { commitment: Uint8Array; envelopes: Uint8Array[] }) {
  const bytes = envelopesAt + shares.envelopes.length * envelopeBytes;
  const writer = openMessage("shares", sessionId, bytes).raw(shares.commitment);
  for (const envelope of shares.envelopes) writer.raw(envelope);
  return writer.finish();
}

/** Throws `ProtocolError("secure_message")` unless this is R1 with one envelope for each of `peers` peers. */
export function checkShares(sessionId: Uint8Array, bytes: Uint8Array, peers: number): void {
  readMessage("shares", sessionId, bytes.subarray(0, headerBytes));
  const expected = envelopesAt + peers * envelopeBytes;
  if (bytes.length !== expected) malformed("shares", `${expected} bytes`, `${bytes.length}`);
}

/** The commitment of a message that `checkShares` passed: a copy. */
export function commitmentIn(bytes: Uint8Array): Uint8Array {
  return bytes.slice(headerBytes, envelopesAt);
}

/** The envelope for the peer at `index` of a message that `checkShares` passed: a view. */
export function envelopeIn(bytes: Uint8Array, index: number): Uint8Array {
  const start = envelopesAt + index * envelopeBytes;
  return bytes.subarray(start, start + envelopeBytes);
}

/** The question of step 3: who shared (U2), and the envelopes for this client from its peers among them, ascending. */
export interface MaskQuestion {
  readonly sharers: readonly number[];
  readonly envelopes: readonly Uint8Array[];
}

/** A writer of the question for one client: the header and U2, with exact room for `envelopes` envelopes to come. */
export function openMaskQuestion(sessionId: Uint8Array, sharers: Uint8Array, envelopes: number): ByteWriter {
  const bytes = headerBytes + sharers.length + envelopes * envelopeBytes;
  return openMessage("maskQuestion", sessionId, bytes).raw(sharers);
}

export function encodeMaskQuestion(sessionId: Uint8Array, question: MaskQuestion, size: number): Uint8Array {
  const sharers = encodeBitmap(question.sharers, size);
  const writer = openMaskQuestion(sessionId, sharers, question.envelopes.length);
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

import { type ByteReader, malformed } from "../crypto/bytes.ts";

/** Bytes of one bit per member. */
export function bitmapBytes(size: number): number {
  return Math.ceil(size / 8);
}

/** One bit per roster index, lowest first; the bits past the last member are zero. */
export function encodeBitmap(members: Iterable<number>, size: number): Uint8Array {
  const bitmap = new Uint8Array(bitmapBytes(size));
  for (const member of members) bitmap[member >> 3]! |= 1 << (member & 7);
  return bitmap;
}

/** The members of a bitmap, ascending. A set has one encoding, so no member can be named twice. */
export function readBitmap(reader: ByteReader, size: number): number[] {
  const bitmap = reader.raw(bitmapBytes(size));
  const members: number[] = [];
  for (let member = 0; member < 8 * bitmap.length; member++) {
    if ((bitmap[member >> 3]! & (1 << (member & 7))) === 0) continue;
    if (member >= size) malformed("bitmap", `members below ${size}`, `${member}`);
    members.push(member);
  }
  return members;
}

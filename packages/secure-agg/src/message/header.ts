import { equalBytes } from "@noble/ciphers/utils.js";
import { ByteReader, ByteWriter, malformed } from "../crypto/bytes.ts";

/** Every message by the number that stands for it on the wire; up is client → coordinator. */
const messageTypes = {
  advertisement: 2,
  shareQuestion: 3,
  shares: 4,
  maskQuestion: 5,
  masked: 6,
  confirmQuestion: 7,
  confirmation: 8,
  unmaskQuestion: 9,
  reveal: 10,
} as const;
export type MessageType = keyof typeof messageTypes;

/** "SA1", the type, and 32 bytes that tie the message to its session: nothing replays into another. */
export const headerBytes = 36;
const magic = Uint8Array.of(0x53, 0x41, 0x31);

/** A writer that has the header behind it, with room for `bytes`: exact room spares a copy. `session` is cfgHash until the roster is known, then the session id. */
export function openMessage(type: MessageType, session: Uint8Array, bytes = 256): ByteWriter {
  return new ByteWriter(bytes).raw(magic).u8(messageTypes[type]).raw(session);
}

/** A reader past the header; throws `ProtocolError("secure_message")` for another type or session. */
export function readMessage(type: MessageType, session: Uint8Array, bytes: Uint8Array): ByteReader {
  const reader = new ByteReader(bytes, type);
  if (!equalBytes(reader.raw(3), magic)) malformed(type, "SA1", "something else");
  const code = reader.u8();
  if (code !== messageTypes[type]) malformed(type, `message type ${messageTypes[type]}`, `${code}`);
  if (!equalBytes(reader.raw(32), session)) malformed(type, "this session's id", "another session's");
  return reader;
}

/** The type of a message, unread; undefined for anything else. */
export function typeOfMessage(bytes: Uint8Array): MessageType | undefined {
  if (bytes.length < headerBytes || !equalBytes(bytes.subarray(0, 3), magic)) return undefined;
  return (Object.keys(messageTypes) as MessageType[]).find((type) => messageTypes[type] === bytes[3]);
}

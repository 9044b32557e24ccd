import { malformed } from "../crypto/bytes.ts";
import { labelledHash } from "../crypto/derive.ts";
import type { Advertisement } from "./advertisement.ts";
import { openMessage, readMessage } from "./header.ts";

/** One client of the session: its name, its device key and its signed session keys. */
export interface Member extends Advertisement {
  readonly client: string;
  readonly identityKey: Uint8Array;
}

/** What stays of a roster once its keys were checked. */
export interface RosterName {
  readonly size: number;
  readonly hash: Uint8Array;
  /** H(cfgHash, rosterHash): names the session in every later message. */
  readonly sessionId: Uint8Array;
}

/** U1: the clients of one session in ascending order of their names, and the hash of all of it. */
export interface Roster extends RosterName {
  readonly members: readonly Member[];
}

/** The roster of these members; sorts them, so that their order is nobody's choice. */
export function rosterOf(configHash: Uint8Array, members: readonly Member[]): Roster {
  const sorted = [...members].sort((a, b) => (a.client < b.client ? -1 : 1));
  const hash = labelledHash("SA1/roster", configHash, encodeRoster(configHash, sorted));
  const sessionId = labelledHash("SA1/session", configHash, hash);
  return { members: sorted, size: sorted.length, hash, sessionId };
}

/** The question of step 2, the same bytes for every member. */
export function encodeRoster(configHash: Uint8Array, members: readonly Member[]): Uint8Array {
  const writer = openMessage("shareQuestion", configHash, 64 + 192 * members.length).u32(members.length);
  for (const { client, identityKey, channelKey, maskKey, signature } of members) {
    writer.text(client).raw(identityKey).raw(channelKey).raw(maskKey).raw(signature);
  }
  return writer.finish();
}

/** Reads a roster, as views of its bytes; throws `ProtocolError("secure_message")` unless the names ascend, which also makes them unique. */
export function decodeRoster(configHash: Uint8Array, bytes: Uint8Array, limit: number): Roster {
  const reader = readMessage("shareQuestion", configHash, bytes);
  const count = reader.u32();
  if (count > limit) malformed("roster", `at most ${limit} clients`, `${count}`);
  const members = Array.from({ length: count }, (): Member => {
    const client = reader.text(128);
    const [identityKey, channelKey, maskKey] = [reader.view(32), reader.view(32), reader.view(32)];
    return { client, identityKey, channelKey, maskKey, signature: reader.view(64) };
  });
  reader.finish();
  for (let i = 1; i < count; i++) {
    if (!(members[i - 1]!.client < members[i]!.client)) malformed("roster", "ascending names", members[i]!.client);
  }
  return rosterOf(configHash, members);
}

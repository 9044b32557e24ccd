import { ByteReader, ByteWriter } from "../crypto/bytes.ts";
import { graphOf } from "../graph/graph.ts";
import { encodeBitmap, readBitmap } from "../message/bitmap.ts";
import { survivorsHashOf } from "../message/confirmation.ts";
import { decodeRoster, encodeRoster } from "../message/roster.ts";
import { peersWithin } from "../session/members.ts";
import { configHashOf, decodeParameters, encodeParameters } from "../session/parameters.ts";
import type { Unmasking } from "./masking.ts";

/**
 * What a coordinator stores, with the sum, before it sends the first unmask request: from then on only this attempt with
 * this set can be finished (DESIGN §4). A coordinator that restarts earlier begins a fresh attempt instead. Reveals are
 * not in it: store each as it comes and give it to `receiveReveal` again.
 */
export function encodeUnmasking(state: Unmasking): Uint8Array {
  const { parameters, configHash, roster, graph, sharers, survivors, commitments, tags } = state;
  const writer = new ByteWriter(65_536)
    .bytes(encodeParameters(parameters))
    .bytes(encodeRoster(configHash, roster.members))
    .raw(encodeBitmap(sharers, graph.size))
    .raw(encodeBitmap(survivors, graph.size));
  for (const member of sharers) writer.raw(commitments.get(member)!);
  for (const member of survivors) {
    for (const peer of peersWithin(graph, member, survivors)) {
      const tag = tags.get(member)!.get(peer);
      writer.u8(tag === undefined ? 0 : 1);
      if (tag !== undefined) writer.raw(tag);
    }
  }
  return writer.finish();
}

/** The state to go on from: decodeUnmasking(encodeUnmasking(s), s.sum) answers and unmasks as s does. Owns `sum`. */
export function decodeUnmasking(bytes: Uint8Array, sum: Uint32Array): Unmasking {
  const reader = new ByteReader(bytes, "stored session");
  const parameters = decodeParameters(reader.bytes(1_048_576));
  const configHash = configHashOf(parameters);
  const roster = decodeRoster(configHash, reader.bytes(bytes.length), parameters.clients);
  const graph = graphOf(parameters.graph, { size: roster.members.length, hash: roster.hash, configHash });
  const sharers = new Set(readBitmap(reader, graph.size));
  const survivors = new Set(readBitmap(reader, graph.size));
  const commitments = new Map([...sharers].map((member) => [member, reader.raw(32)]));
  const tags = new Map<number, Map<number, Uint8Array>>();
  for (const member of survivors) {
    const received = new Map<number, Uint8Array>();
    for (const peer of peersWithin(graph, member, survivors)) if (reader.u8() === 1) received.set(peer, reader.raw(32));
    tags.set(member, received);
  }
  reader.finish();
  const roll = { parameters, configHash, roster, graph };
  const survivorsHash = survivorsHashOf(roster.sessionId, [...survivors], graph.size);
  const sets = { sharers, survivors, survivorsHash, commitments, tags };
  return { step: "unmasking", ...roll, ...sets, sum, inbox: new Map() };
}

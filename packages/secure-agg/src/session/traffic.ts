import { packedBytes } from "../encoding/pack.ts";
import { paddedLength } from "../kernel/kernel.ts";
import { advertisementBytes } from "../message/advertisement.ts";
import { bitmapBytes } from "../message/bitmap.ts";
import { envelopeBytes } from "../message/envelope.ts";
import { headerBytes } from "../message/header.ts";
import { maskedHeaderBytes } from "../message/masked.ts";
import { wordsOf } from "./headroom.ts";
import type { SessionParameters } from "./parameters.ts";

/** Bytes that one client sends in a whole session in which nobody drops out: what the masked vector takes, and all. */
export function uploadBytes(parameters: Pick<SessionParameters, "clients" | "graph" | "lanes" | "wordBits">): {
  readonly vector: number;
  readonly total: number;
} {
  const { graph, clients, lanes, wordBits } = parameters;
  const peers = peersOf(parameters);
  const dealers = graph.kind === "complete" ? clients : graph.neighbours;
  const vector = maskedHeaderBytes + packedBytes(paddedLength(wordsOf(lanes)), wordBits);
  const shares = headerBytes + 32 + peers * envelopeBytes;
  const confirmation = headerBytes + peers * 32;
  const reveal = headerBytes + dealers * 33;
  return { vector, total: advertisementBytes + shares + vector + confirmation + reveal };
}

/** The parameters of a session with a few lanes. */
const parametersBytes = 800;
/** A name of 39 characters and its length, three keys and a signature. */
const memberBytes = 43 + 3 * 32 + 64;

/** About the bytes that one client is sent in a whole session: parameters, roster, envelopes, survivors, tags. */
export function downloadBytes(parameters: Pick<SessionParameters, "clients" | "graph">): number {
  const { clients } = parameters;
  const peers = peersOf(parameters);
  const roster = headerBytes + 4 + clients * memberBytes;
  const envelopes = headerBytes + bitmapBytes(clients) + peers * envelopeBytes;
  const survivors = headerBytes + bitmapBytes(clients);
  const tags = headerBytes + 36 + peers * 33;
  return parametersBytes + roster + envelopes + survivors + tags;
}

function peersOf({ graph, clients }: Pick<SessionParameters, "clients" | "graph">): number {
  return graph.kind === "complete" ? clients - 1 : graph.neighbours;
}

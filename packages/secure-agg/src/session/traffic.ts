import { packedBytes } from "../encoding/pack.ts";
import { paddedLength } from "../kernel/kernel.ts";
import { advertisementBytes } from "../message/advertisement.ts";
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
  const peers = graph.kind === "complete" ? clients - 1 : graph.neighbours;
  const dealers = graph.kind === "complete" ? clients : graph.neighbours;
  const vector = maskedHeaderBytes + packedBytes(paddedLength(wordsOf(lanes)), wordBits);
  const shares = headerBytes + 32 + peers * envelopeBytes;
  const confirmation = headerBytes + peers * 32;
  const reveal = headerBytes + dealers * 33;
  return { vector, total: advertisementBytes + shares + vector + confirmation + reveal };
}

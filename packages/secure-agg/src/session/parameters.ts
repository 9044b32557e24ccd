import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import type { AttemptKind } from "@tributary/protocol";
import { ByteReader, ByteWriter, malformed } from "../crypto/bytes.ts";
import { labelledHash } from "../crypto/derive.ts";
import type { GraphShape } from "../graph/graph.ts";

/**
 * One stretch of the summed vector. `update`: reals in ±clip as integers of `bits` bits, multiplied by the device's
 * integer weight. `exact`: v · 2^scaleBits as a 48-bit integer, three words each.
 */
export interface SecureLane {
  readonly name: string;
  readonly length: number;
  readonly encoding:
    | { readonly kind: "update"; readonly clip: number; readonly bits: number }
    | { readonly kind: "exact"; readonly scaleBits: number };
}

/** Of sessions, which every member of one must speak alike; it changes with them alone, not with the protocol around them. */
export const sessionVersion = 1;

/** Everything that the members of one session must agree on; its hash enters every key and mask. */
export interface SessionParameters {
  readonly version: number;
  readonly run: string;
  readonly round: number;
  readonly attempt: number;
  readonly kind: AttemptKind;
  readonly modelVersion: number;
  /** Lower-case hexadecimal SHA-256 of the model's bytes. */
  readonly modelHash: string;
  /** What each member is to work out: `taskHashOf`. */
  readonly taskHash: string;
  readonly shard: { readonly index: number; readonly count: number };
  /** The cohort's size: how many clients were asked. */
  readonly clients: number;
  readonly graph: GraphShape;
  readonly threshold: number;
  readonly rule: "strict" | "curious";
  readonly minimumSurvivors: number;
  readonly lanes: readonly SecureLane[];
  /** Bits of one masked word on the wire. */
  readonly wordBits: number;
  readonly weightLevels: number;
  /** Examples that earn the full weight. */
  readonly weightCap: number;
  readonly prg: "chacha20";
  readonly deadlines: { readonly trainMs: number; readonly stepMs: number };
}

const kinds = ["train", "evaluate"] as const;
const rules = ["strict", "curious"] as const;
const fields = [
  ...[
    "version",
    "run",
    "round",
    "attempt",
    "kind",
    "modelVersion",
    "modelHash",
    "taskHash",
    "shard",
    "clients",
    "graph",
  ],
  ...["threshold", "rule", "minimumSurvivors", "lanes", "wordBits", "weightLevels", "weightCap", "prg", "deadlines"],
];

/** The one encoding of the parameters; throws `ProtocolError("secure_message")` for a field it does not know. */
export function encodeParameters(parameters: SessionParameters): Uint8Array {
  const unknown = Object.keys(parameters).filter((name) => !fields.includes(name));
  if (unknown.length > 0) malformed("session parameters", "known fields only", unknown.join(", "));
  const writer = new ByteWriter()
    .text("SA1")
    .u32(parameters.version)
    .text(parameters.run)
    .u32(parameters.round)
    .u32(parameters.attempt)
    .u8(kinds.indexOf(parameters.kind))
    .u32(parameters.modelVersion)
    .raw(hexToBytes(parameters.modelHash))
    .raw(hexToBytes(parameters.taskHash))
    .u32(parameters.shard.index)
    .u32(parameters.shard.count)
    .u32(parameters.clients)
    .u32(parameters.graph.kind === "complete" ? 0 : parameters.graph.neighbours)
    .u32(parameters.threshold)
    .u8(rules.indexOf(parameters.rule))
    .u32(parameters.minimumSurvivors)
    .u8(parameters.wordBits)
    .u32(parameters.weightLevels)
    .f64(parameters.weightCap)
    .text(parameters.prg)
    .u32(parameters.deadlines.trainMs)
    .u32(parameters.deadlines.stepMs)
    .u32(parameters.lanes.length);
  for (const { name, length, encoding } of parameters.lanes) {
    writer.text(name).u32(length);
    if (encoding.kind === "update") writer.u8(0).f64(encoding.clip).u8(encoding.bits);
    else writer.u8(1).u8(encoding.scaleBits);
  }
  return writer.finish();
}

/** The parameters of their encoding; throws `ProtocolError("secure_message")` unless it is the canonical one. */
export function decodeParameters(bytes: Uint8Array): SessionParameters {
  const what = "session parameters";
  const reader = new ByteReader(bytes, what);
  const choose = <Choice>(choices: readonly Choice[], index: number): Choice =>
    choices[index] ?? malformed(what, `a choice below ${choices.length}`, `${index}`);
  if (reader.text(8) !== "SA1") malformed(what, "SA1", "something else");
  const version = reader.u32();
  if (version !== sessionVersion) malformed(what, `session version ${sessionVersion}`, `${version}`);
  const parameters: Omit<SessionParameters, "lanes"> = {
    version,
    run: reader.text(128),
    round: reader.u32(),
    attempt: reader.u32(),
    kind: choose(kinds, reader.u8()),
    modelVersion: reader.u32(),
    modelHash: bytesToHex(reader.raw(32)),
    taskHash: bytesToHex(reader.raw(32)),
    shard: { index: reader.u32(), count: reader.u32() },
    clients: reader.u32(),
    graph: shapeOf(reader.u32()),
    threshold: reader.u32(),
    rule: choose(rules, reader.u8()),
    minimumSurvivors: reader.u32(),
    wordBits: reader.u8(),
    weightLevels: reader.u32(),
    weightCap: reader.f64(),
    prg: reader.text(16) === "chacha20" ? "chacha20" : malformed(what, "prg chacha20", "another"),
    deadlines: { trainMs: reader.u32(), stepMs: reader.u32() },
  };
  const count = reader.u32();
  if (count > 4096) malformed(what, "at most 4096 lanes", `${count}`);
  const lanes = Array.from({ length: count }, (): SecureLane => {
    const name = reader.text(128);
    const length = reader.u32();
    return reader.u8() === 0
      ? { name, length, encoding: { kind: "update", clip: reader.f64(), bits: reader.u8() } }
      : { name, length, encoding: { kind: "exact", scaleBits: reader.u8() } };
  });
  reader.finish();
  return { ...parameters, lanes };
}

/** cfgHash: what members sign and derive from. */
export function configHashOf(parameters: SessionParameters): Uint8Array {
  return labelledHash("SA1/config", encodeParameters(parameters));
}

function shapeOf(neighbours: number): GraphShape {
  return neighbours === 0 ? { kind: "complete" } : { kind: "circulant", neighbours };
}

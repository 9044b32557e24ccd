import type { Algorithm, Lane, Question, ServerState } from "@tributary/algorithm";
import {
  type AttemptKind,
  elementOf,
  type Hint,
  type RunSpec,
  type Sha256,
  type StepQuestion,
  type VectorReference,
} from "@tributary/protocol";
import type { Blobs } from "./store/blobs.ts";

/** The frame that a step's answer must be. */
export interface AnswerShape {
  readonly element: "f32" | "f64";
  readonly length: number;
}

/** What an attempt's one question looks like on the wire, but for the time left. */
export type Asked = Omit<StepQuestion, "remainingMs">;

/** The lanes of an answer to a question of this kind. */
export function lanesOf(algorithm: Algorithm, spec: RunSpec, kind: AttemptKind, server: ServerState): readonly Lane[] {
  return kind === "train" ? algorithm.lanes(spec, server.model.length, server) : algorithm.evaluationLanes(spec);
}

/** Bytes of a vector as blobs and `weights.bin` hold it: little-endian elements, nothing else. Views `values`. */
export function vectorBytes(values: Float32Array | Float64Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** Puts a question's vectors where devices can fetch them and gives its wire form. */
export async function publish(
  question: Question,
  address: Hint & { modelVersion: number; answer: AnswerShape },
  blobs: Blobs,
  known: WeakMap<object, Sha256>,
): Promise<Asked> {
  const vectors: Record<string, VectorReference> = {};
  for (const [name, values] of Object.entries(question.vectors)) {
    const sha256 = known.get(values) ?? (await blobs.put(vectorBytes(values)));
    known.set(values, sha256);
    vectors[name] = { sha256, bytes: values.byteLength, element: elementOf(values), length: values.length };
  }
  return { ...address, settings: { ...question.settings }, vectors };
}

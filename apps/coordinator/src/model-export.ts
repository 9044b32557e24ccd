import { algorithmNamed } from "@tributary/catalog";
import {
  Metrics,
  type ModelRecord,
  ProtocolError,
  RunId,
  type RunRecord,
  type RunSpec,
  routes,
  Sha256,
} from "@tributary/protocol";
import Type, { type Static } from "typebox";
import type { ModelDescription } from "./models.ts";

/** A TensorFlow.js layers model: what `tf.loadLayersModel` fetches first. Its weights are the version's weights.bin. */
export const ModelJson = Type.Object({
  format: Type.Literal("layers-model"),
  generatedBy: Type.String(),
  convertedBy: Type.Null(),
  modelTopology: Type.Unknown(),
  weightsManifest: Type.Array(
    Type.Object({
      paths: Type.Array(Type.String()),
      weights: Type.Array(
        Type.Object({ name: Type.String(), shape: Type.Array(Type.Integer()), dtype: Type.Literal("float32") }),
      ),
    }),
  ),
  userDefinedMetadata: Type.Object({
    run: RunId,
    name: Type.String(),
    round: Type.Integer(),
    version: Type.Integer(),
    metrics: Metrics,
    sha256: Sha256,
  }),
});
export type ModelJson = Static<typeof ModelJson>;

/** What an algorithm with a model of its own has learnt: what the vector in the version's `weights.bin` means, as JSON. */
export const StateJson = Type.Object({
  format: Type.Literal("tributary-state"),
  algorithm: Type.String(),
  element: Type.Literal("float64"),
  length: Type.Integer(),
  run: RunId,
  name: Type.String(),
  round: Type.Integer(),
  version: Type.Integer(),
  metrics: Metrics,
  sha256: Sha256,
  state: Type.Record(Type.String(), Type.Unknown()),
});
export type StateJson = Static<typeof StateJson>;

/** The `state.json` of one version. Throws `wrong_state` for a run whose model is layers, which `model.json` describes. */
export function stateJson(
  run: { readonly record: RunRecord; readonly spec: RunSpec },
  version: ModelRecord,
  vector: Float64Array,
): StateJson {
  const { record, spec } = run;
  const { name, server } = algorithmNamed(spec.algorithm.name);
  if (server.describe === undefined) {
    throw new ProtocolError(
      "wrong_state",
      `${name} trains layers: their description is at ${routes.modelJson(record.run, version.version)}`,
    );
  }
  const { round, metrics, sha256 } = version;
  const about = { run: record.run, name: record.name, round, version: version.version, metrics, sha256 };
  const state = { ...server.describe(vector, spec) };
  return { format: "tributary-state", algorithm: name, element: "float64", length: vector.length, ...about, state };
}

/** The `model.json` of one version; next to it lies `weights.bin`, float32, little-endian, in the order of the manifest. */
export function modelJson(run: RunRecord, version: ModelRecord, { topology, weights }: ModelDescription): ModelJson {
  const { round, metrics, sha256 } = version;
  return {
    format: "layers-model",
    generatedBy: "Tributary",
    convertedBy: null,
    modelTopology: topology,
    weightsManifest: [
      {
        paths: ["weights.bin"],
        weights: weights.map(({ name, shape }) => ({ name, shape: [...shape], dtype: "float32" })),
      },
    ],
    userDefinedMetadata: { run: run.run, name: run.name, round, version: version.version, metrics, sha256 },
  };
}

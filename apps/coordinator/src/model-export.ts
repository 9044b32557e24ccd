import { Metrics, type ModelRecord, RunId, type RunRecord, Sha256 } from "@tributary/protocol";
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

import { ProtocolError } from "../errors.ts";
import type { DataSpec, ModelSpec } from "../run-spec.ts";
import { checkHead, checkTopology } from "./check-topology.ts";
import { presetTopology } from "./presets.ts";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** One layer of a Keras-style topology; `inbound_nodes` where the topology is a graph. */
export interface LayerTopology {
  readonly class_name: string;
  readonly name?: string;
  readonly config: { readonly [key: string]: Json };
  readonly inbound_nodes?: Json;
}

/** The `modelTopology` of a Keras-style model.json: what `tf.models.modelFromJSON` takes. Data only, no code. */
export interface Topology {
  readonly class_name: "Sequential" | "Functional" | "Model";
  readonly config: {
    readonly name: string;
    readonly layers: readonly LayerTopology[];
    readonly input_layers?: Json;
    readonly output_layers?: Json;
  };
}

/**
 * The topology of `model` for examples of `data`'s shape; its output is a softmax over the classes, or the number to
 * predict. Throws
 * `ProtocolError("topology_not_approved")` where a given topology holds anything outside the allow-list, and
 * `ProtocolError("bad_spec")` where model and data do not fit each other.
 */
export function topologyOf(model: ModelSpec, data: DataSpec): Topology {
  if (data.target === "none") {
    throw new ProtocolError(
      "bad_spec",
      "A model predicts, and the run's data has no target: name one, or an algorithm without a model.",
    );
  }
  return "topology" in model ? checkHead(checkTopology(model.topology), data.target) : presetTopology(model, data);
}

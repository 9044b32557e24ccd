import { ProtocolError } from "../errors.ts";
import { countOf, type DataSpec } from "../run-spec.ts";
import type { Json, LayerTopology, Topology } from "./topology.ts";

/**
 * A rating as the inner product of a user's and an item's factors, plus a bias of each (Koren, Bell, Volinsky 2009), through
 * one last weight and bias that bring it to the ratings' scale. Takes pairs of indices (user, item). Layers of Keras alone:
 * the pair is cut in two as if it were an image of two pixels.
 */
export function matrixFactorization(factors: number, data: DataSpec): Topology {
  if (data.kind !== "ratings" || data.users === undefined || data.items === undefined) {
    throw new ProtocolError(
      "bad_spec",
      `The preset "matrix-factorization" takes ratings; the run's data is ${data.kind}.`,
    );
  }
  const one = (side: "user" | "item", count: number): LayerTopology[] => {
    const [before, after] = side === "user" ? [0, 1] : [1, 0];
    const rows = (name: string, width: number, initializer: Json) => [
      layer("Embedding", `${side}_${name}`, [`${side}_index`], {
        input_dim: count,
        output_dim: width,
        embeddings_initializer: initializer,
      }),
      layer("Flatten", `${side}_${name}_flat`, [`${side}_${name}`]),
    ];
    return [
      layer("Cropping2D", side, ["pair"], {
        cropping: [
          [before!, after!],
          [0, 0],
        ],
      }),
      layer("Flatten", `${side}_index`, [side]),
      ...rows("factors", factors, { class_name: "RandomNormal", config: { mean: 0, stddev: 0.1, seed: null } }),
      ...rows("bias", 1, zeros),
    ];
  };
  const layers = [
    layer("InputLayer", "ids", [], { batch_input_shape: [null, 2], dtype: "float32" }),
    layer("Reshape", "pair", ["ids"], { target_shape: [2, 1, 1] }),
    ...one("user", countOf(data.users)),
    ...one("item", countOf(data.items)),
    layer("Dot", "product", ["user_factors_flat", "item_factors_flat"], { axes: 1 }),
    layer("Add", "sum", ["product", "user_bias_flat", "item_bias_flat"]),
    layer("Dense", "output", ["sum"], {
      units: 1,
      activation: "linear",
      kernel_initializer: { class_name: "Ones", config: {} },
      bias_initializer: zeros,
    }),
  ];
  return {
    class_name: "Functional",
    config: {
      name: "matrix-factorization",
      layers,
      input_layers: [["ids", 0, 0]],
      output_layers: [["output", 0, 0]],
    },
  };
}

const zeros: Json = { class_name: "Zeros", config: {} };

function layer(
  className: string,
  name: string,
  from: readonly string[],
  config: { [key: string]: Json } = {},
): LayerTopology {
  return {
    class_name: className,
    name,
    config: { name, ...config },
    inbound_nodes: from.length === 0 ? [] : [from.map((source) => [source, 0, 0, {}])],
  };
}

import type { LayersModel, layers } from "@tensorflow/tfjs-layers";
import { sizeOf } from "../models/weights.ts";
import type { Window } from "./window.ts";

/** What a layer does to one example; `relu` where its output is floored at zero. */
export type DirectLayer =
  | {
      readonly kind: "dense";
      readonly rows: number;
      readonly inputs: number;
      readonly units: number;
      readonly bias: boolean;
      readonly relu: boolean;
    }
  | { readonly kind: "convolution"; readonly window: Window; readonly bias: boolean; readonly relu: boolean }
  | { readonly kind: "max-pool"; readonly window: Window }
  | { readonly kind: "rectifier"; readonly size: number };

/**
 * The layers of a sequential model for images of `shape` where the kernels have all it takes, else undefined. Layers that
 * only give a shape another name fall away.
 */
export function directLayers(model: LayersModel, shape: readonly number[]): readonly DirectLayer[] | undefined {
  const found: DirectLayer[] = [];
  for (const layer of model.layers) {
    const direct = directLayer(layer, shape);
    if (direct === "unknown") return undefined;
    if (direct !== "nothing") found.push(direct);
    shape = (layer.outputShape as (number | null)[]).slice(1) as number[];
    // A window may be larger than its image: nothing comes out, and the model is its last bias.
    if (sizeOf(shape) === 0) return undefined;
  }
  return found.at(-1)?.kind === "dense" ? found : undefined;
}

/** Floats that one example takes behind a layer. */
export function outputSize(layer: DirectLayer): number {
  switch (layer.kind) {
    case "dense":
      return layer.rows * layer.units;
    case "convolution":
    case "max-pool":
      return layer.window.outHeight * layer.window.outWidth * layer.window.filters;
    case "rectifier":
      return layer.size;
  }
}

/** Lengths of a layer's weights, in the order of the flat vector. */
export function weightSizes(layer: DirectLayer): readonly number[] {
  switch (layer.kind) {
    case "dense":
      return [layer.inputs * layer.units, ...(layer.bias ? [layer.units] : [])];
    case "convolution": {
      const { windowHeight, windowWidth, channels, filters } = layer.window;
      return [windowHeight * windowWidth * channels * filters, ...(layer.bias ? [filters] : [])];
    }
    case "max-pool":
    case "rectifier":
      return [];
  }
}

type Layer = ReturnType<typeof layers.dense> extends infer One ? One & { getClassName(): string } : never;

function directLayer(
  layer: LayersModel["layers"][number],
  shape: readonly number[],
): DirectLayer | "nothing" | "unknown" {
  const config = layer.getConfig();
  const activation = config["activation"] ?? "linear";
  const relu = activation === "relu";
  const bias = config["useBias"] === true;
  switch ((layer as Layer).getClassName()) {
    case "InputLayer":
    case "Flatten":
    case "Reshape":
      return "nothing";
    case "Activation":
      if (activation === "linear") return "nothing";
      return relu ? { kind: "rectifier", size: sizeOf(shape) } : "unknown";
    case "ReLU":
      return config["maxValue"] == null ? { kind: "rectifier", size: sizeOf(shape) } : "unknown";
    case "Dense": {
      if (!relu && activation !== "linear") return "unknown";
      const units = config["units"] as number;
      return { kind: "dense", rows: sizeOf(shape.slice(0, -1)), inputs: shape.at(-1)!, units, bias, relu };
    }
    case "Conv2D": {
      if ((!relu && activation !== "linear") || (config["dilationRate"] as number[]).some((rate) => rate !== 1))
        return "unknown";
      const window = windowOver(shape, config["kernelSize"] as number[], config, config["filters"] as number);
      return { kind: "convolution", window, bias, relu };
    }
    case "MaxPooling2D":
      return { kind: "max-pool", window: windowOver(shape, config["poolSize"] as number[], config, shape[2]!) };
    default:
      return "unknown";
  }
}

function windowOver(
  shape: readonly number[],
  size: readonly number[],
  config: { [key: string]: unknown },
  filters: number,
): Window {
  const [height, width, channels] = shape as [number, number, number];
  const [windowHeight, windowWidth] = size as [number, number];
  const [strideY, strideX] = config["strides"] as [number, number];
  const same = config["padding"] === "same";
  const rows = along(height, windowHeight, strideY, same);
  const columns = along(width, windowWidth, strideX, same);
  return {
    ...{ batch: 1, height, width, channels, filters, windowHeight, windowWidth, strideY, strideX },
    ...{ padTop: rows.before, padLeft: columns.before, outHeight: rows.out, outWidth: columns.out },
  };
}

/** Keras: with padding an output for each stride, the odd zero at the end; without, only whole windows. */
function along(length: number, window: number, stride: number, same: boolean): { before: number; out: number } {
  if (!same) return { before: 0, out: Math.floor((length - window) / stride) + 1 };
  const out = Math.ceil(length / stride);
  return { before: Math.floor(Math.max(0, (out - 1) * stride + window - length) / 2), out };
}

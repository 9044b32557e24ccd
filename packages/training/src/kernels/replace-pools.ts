import { backend_util, type TensorInfo } from "@tensorflow/tfjs-core";
import { areFloats, type BackendKernels, replaceKernel } from "./backend-kernels.ts";
import type { Window } from "./window.ts";

interface Attributes {
  readonly filterSize: [number, number] | number;
  readonly strides: [number, number] | number;
  readonly pad: "valid" | "same" | number | backend_util.ExplicitPadding;
  readonly dimRoundingMode?: "floor" | "round" | "ceil";
}

/** Gradients of pools: the backend has its own in plain JavaScript. */
export function replacePools(kernels: BackendKernels): void {
  replaceKernel("MaxPoolGrad", ({ inputs, attrs }) => {
    const { dy, input, output } = inputs as { dy: TensorInfo; input: TensorInfo; output: TensorInfo };
    if (input.shape.length !== 4 || !areFloats(dy, input, output)) return undefined;
    const dx = kernels.output(input.shape);
    const at = kernels.window(windowOf(input, attrs as unknown as Attributes));
    const [x, y, gradient, into] = [input, output, dy, dx].map((tensor) => kernels.address(tensor)) as [
      number,
      number,
      number,
      number,
    ];
    kernels.run.maxPoolGradient(at, x, y, gradient, into);
    return dx;
  });
  replaceKernel("AvgPoolGrad", ({ inputs, attrs }) => {
    const { dy, input } = inputs as { dy: TensorInfo; input: TensorInfo };
    if (input.shape.length !== 4 || !areFloats(dy, input)) return undefined;
    const dx = kernels.output(input.shape);
    const window = windowOf(input, attrs as unknown as Attributes);
    // As plain JavaScript has it: by the whole window, also where part of it lies outside the image.
    const scale = 1 / (window.windowHeight * window.windowWidth);
    kernels.run.averagePoolGradient(kernels.window(window), kernels.address(dy), scale, kernels.address(dx));
    return dx;
  });
}

function windowOf({ shape }: TensorInfo, attrs: Attributes): Window {
  const { filterSize, strides, pad, dimRoundingMode } = attrs;
  const info = backend_util.computePool2DInfo(
    [...shape] as [number, number, number, number],
    filterSize,
    strides,
    1,
    pad,
    dimRoundingMode,
  );
  return {
    ...{ batch: info.batchSize, height: info.inHeight, width: info.inWidth, channels: info.inChannels },
    ...{ filters: info.outChannels, windowHeight: info.filterHeight, windowWidth: info.filterWidth },
    ...{ strideY: info.strideHeight, strideX: info.strideWidth, padTop: info.padInfo.top, padLeft: info.padInfo.left },
    ...{ outHeight: info.outHeight, outWidth: info.outWidth },
  };
}

import { backend_util, type TensorInfo } from "@tensorflow/tfjs-core";
import { type Attempt, areFloats, type BackendKernels, replaceKernel } from "./backend-kernels.ts";
import type { Window } from "./window.ts";

type Shape4 = [number, number, number, number];

interface Attributes {
  readonly strides: [number, number] | number;
  readonly pad: "valid" | "same" | number | backend_util.ExplicitPadding;
  readonly dataFormat?: "NHWC" | "NCHW";
  readonly dilations?: [number, number] | number;
  readonly dimRoundingMode?: "floor" | "round" | "ceil";
  readonly inputShape: Shape4;
  readonly filterShape: Shape4;
  readonly activation?: string;
}

/** Convolutions forward, and the gradients by input and kernel, plain and depthwise. */
export function replaceConvolutions(kernels: BackendKernels): void {
  const forward: Attempt = ({ inputs, attrs }) => {
    const { x, filter, bias, preluActivationWeights } = inputs as Record<string, TensorInfo | undefined>;
    const attributes = attrs as unknown as Attributes;
    const activation = attributes.activation ?? "linear";
    const window = windowOf(x!.shape, filter!.shape, attributes);
    if (window === undefined || !areFloats(x, filter, bias) || preluActivationWeights != null) return undefined;
    if (!["linear", "relu"].includes(activation) || (bias != null && bias.shape.join() !== `${window.filters}`))
      return undefined;
    const y = kernels.output([window.batch, window.outHeight, window.outWidth, window.filters]);
    const { at, scratch } = place(kernels, window);
    const from = [kernels.address(x!), kernels.address(filter!), bias == null ? 0 : kernels.address(bias)] as const;
    kernels.run.convolve(at, ...from, kernels.address(y), activation === "relu" ? 1 : 0, scratch);
    return y;
  };
  replaceKernel("Conv2D", forward);
  replaceKernel("FusedConv2D", forward);

  replaceKernel("Conv2DBackpropInput", ({ inputs, attrs }) => {
    const { dy, filter } = inputs as { dy: TensorInfo; filter: TensorInfo };
    const attributes = attrs as unknown as Attributes;
    const window = windowOf(attributes.inputShape, filter.shape, attributes);
    if (window === undefined || !areFloats(dy, filter)) return undefined;
    const dx = kernels.output(attributes.inputShape);
    const { at, scratch } = place(kernels, window);
    kernels.run.convolveInput(at, kernels.address(dy), kernels.address(filter), kernels.address(dx), scratch);
    return dx;
  });

  replaceKernel("Conv2DBackpropFilter", ({ inputs, attrs }) => {
    const { x, dy } = inputs as { x: TensorInfo; dy: TensorInfo };
    const attributes = attrs as unknown as Attributes;
    const window = windowOf(x.shape, attributes.filterShape, attributes);
    if (window === undefined || !areFloats(x, dy)) return undefined;
    const gradient = kernels.zeros(attributes.filterShape);
    const { at, scratch } = place(kernels, window);
    kernels.run.convolveKernel(at, kernels.address(x), kernels.address(dy), 1, kernels.address(gradient), scratch);
    return gradient;
  });

  replaceKernel("DepthwiseConv2dNativeBackpropInput", ({ inputs, attrs }) => {
    const { dy, filter } = inputs as { dy: TensorInfo; filter: TensorInfo };
    const attributes = attrs as unknown as Attributes;
    const window = windowOf(attributes.inputShape, filter.shape, attributes, true);
    if (window === undefined || !areFloats(dy, filter)) return undefined;
    const dx = kernels.output(attributes.inputShape);
    const at = kernels.window(window);
    kernels.run.depthwiseInput(at, kernels.address(dy), kernels.address(filter), kernels.address(dx));
    return dx;
  });

  replaceKernel("DepthwiseConv2dNativeBackpropFilter", ({ inputs, attrs }) => {
    const { x, dy } = inputs as { x: TensorInfo; dy: TensorInfo };
    const attributes = attrs as unknown as Attributes;
    const window = windowOf(x.shape, attributes.filterShape, attributes, true);
    if (window === undefined || !areFloats(x, dy)) return undefined;
    const gradient = kernels.output(attributes.filterShape);
    const at = kernels.window(window);
    kernels.run.depthwiseKernel(at, kernels.address(x), kernels.address(dy), kernels.address(gradient));
    return gradient;
  });
}

function place(kernels: BackendKernels, window: Window): { at: number; scratch: number } {
  const at = kernels.window(window);
  return { at, scratch: kernels.scratch(kernels.run.convolutionScratch(at)) };
}

/** The window of a convolution that the kernels can do: channels last, not dilated, padded by less than itself. */
function windowOf(
  input: readonly number[],
  filter: readonly number[],
  attrs: Attributes,
  depthwise = false,
): Window | undefined {
  const format = backend_util.convertConv2DDataFormat(attrs.dataFormat ?? "NHWC");
  const info = backend_util.computeConv2DInfo(
    [...input] as Shape4,
    [...filter] as Shape4,
    attrs.strides,
    attrs.dilations ?? 1,
    attrs.pad,
    attrs.dimRoundingMode,
    depthwise,
    format,
  );
  const { top, left } = info.padInfo;
  const dilated = info.dilationHeight !== 1 || info.dilationWidth !== 1;
  if (format !== "channelsLast" || dilated || top >= info.filterHeight || left >= info.filterWidth) return undefined;
  return {
    ...{ batch: info.batchSize, height: info.inHeight, width: info.inWidth, channels: info.inChannels },
    ...{ filters: info.outChannels, windowHeight: info.filterHeight, windowWidth: info.filterWidth },
    ...{ strideY: info.strideHeight, strideX: info.strideWidth, padTop: top, padLeft: left },
    ...{ outHeight: info.outHeight, outWidth: info.outWidth },
  };
}

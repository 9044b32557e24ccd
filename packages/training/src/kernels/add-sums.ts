import { backend_util, getKernel, type TensorInfo, util } from "@tensorflow/tfjs-core";
import { areFloats, type BackendKernels, replaceKernel } from "./backend-kernels.ts";

/** Sums that the backend has no kernel for: by segment (the gradient of a gather) and Einstein's. */
export function addSums(kernels: BackendKernels): void {
  replaceKernel("UnsortedSegmentSum", ({ inputs, attrs }) => {
    const { x, segmentIds } = inputs as { x: TensorInfo; segmentIds: TensorInfo };
    if (!areFloats(x) || segmentIds.dtype !== "int32" || segmentIds.shape.length !== 1) return undefined;
    const segments = attrs["numSegments"] as number;
    const rest = x.shape.slice(1);
    const length = util.sizeFromShape(rest);
    const output = kernels.zeros([segments, ...rest]);
    const [values, sums, ids] = [kernels.floats(x), kernels.floats(output), kernels.integers(segmentIds)];
    ids.forEach((segment, row) => {
      // As plain JavaScript has it: what belongs to no segment is left out.
      if (segment < 0 || segment >= segments) return;
      for (let i = 0; i < length; i++) sums[segment * length + i]! += values[row * length + i]!;
    });
    return output;
  });

  replaceKernel("Einsum", ({ inputs, backend, attrs }) => {
    const tensors = Object.values(inputs);
    const { allDims, summedDims, idDims } = backend_util.decodeEinsumEquation(
      attrs["equation"] as string,
      tensors.length,
    );
    backend_util.checkEinsumDimSizes(allDims.length, idDims, tensors as never);
    const { path, steps } = backend_util.getEinsumComputePath(summedDims, idDims);
    const call = (name: string, given: Record<string, TensorInfo>, attributes: object = {}) =>
      getKernel(name, "wasm").kernelFunc({ inputs: given, backend, attrs: attributes as never }) as TensorInfo;
    const passing: TensorInfo[] = [];
    const keep = (tensor: TensorInfo) => {
      passing.push(tensor);
      return tensor;
    };
    let out: TensorInfo | undefined;
    let left = allDims.length;
    steps.forEach((terms, step) => {
      for (const term of terms) {
        const { permutationIndices: perm, expandDims } = backend_util.getEinsumPermutation(left, idDims[term]!);
        const moved = backend_util.isIdentityPermutation(perm)
          ? tensors[term]!
          : keep({ ...call("Transpose", { x: tensors[term]! }, { perm }), dtype: tensors[term]!.dtype });
        const shape = [...moved.shape];
        for (const axis of expandDims) shape.splice(axis, 0, 1);
        const x = keep(call("Reshape", { x: moved }, { shape }));
        out = out === undefined ? x : keep(call("Multiply", { a: x, b: out }));
      }
      if (step < steps.length - 1) {
        const axis = path[step]! - (allDims.length - left);
        if (path[step]! >= 0) out = keep(call("Sum", { x: out! }, { axis, keepDims: false }));
        left--;
      }
    });
    for (const tensor of passing) if (tensor !== out) kernels.dispose(tensor);
    return out;
  });
}

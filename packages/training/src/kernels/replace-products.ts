import type { TensorInfo } from "@tensorflow/tfjs-core";
import { areFloats, type BackendKernels, replaceKernel } from "./backend-kernels.ts";

interface ProductAttributes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly activation?: string;
}

/** Products of matrices, and of stacks of them, with a bias and a rectifier where they are fused. */
export function replaceProducts(kernels: BackendKernels): void {
  replaceKernel("BatchMatMul", ({ inputs, attrs }) => {
    const { a, b } = inputs as { a: TensorInfo; b: TensorInfo };
    return multiply(kernels, { a, b, bias: null, attrs: attrs as unknown as ProductAttributes });
  });
  replaceKernel("_FusedMatMul", ({ inputs, attrs }) => {
    const { a, b, bias, preluActivationWeights } = inputs as Record<string, TensorInfo | undefined>;
    const attributes = attrs as unknown as ProductAttributes;
    if (preluActivationWeights != null || !["linear", "relu"].includes(attributes.activation ?? "linear"))
      return undefined;
    return multiply(kernels, { a: a!, b: b!, bias: bias ?? null, attrs: attributes });
  });
}

function multiply(
  kernels: BackendKernels,
  given: { a: TensorInfo; b: TensorInfo; bias: TensorInfo | null; attrs: ProductAttributes },
): TensorInfo | undefined {
  const { a, b, bias, attrs } = given;
  const { transposeA, transposeB, activation } = attrs;
  const [m, k] = sides(a, transposeA);
  const [inner, n] = sides(b, transposeB);
  const stacks = [a, b].map(({ shape }) => shape.slice(0, -2)) as [number[], number[]];
  const [countA, countB] = stacks.map((stack) => stack.reduce((product, size) => product * size, 1)) as [
    number,
    number,
  ];
  const alike = countA === 1 || countB === 1 || stacks[0].join() === stacks[1].join();
  if (!alike || k !== inner || !areFloats(a, b, bias)) return undefined;
  if (bias !== null && bias.shape.join() !== `${n}`) return undefined;
  const stack = stacks[countA >= countB && stacks[0].length >= stacks[1].length ? 0 : 1];
  const output = kernels.output([...stack, m, n]);
  const scratch = kernels.scratch(kernels.run.productScratch());
  const [atA, atB, atC] = [kernels.address(a), kernels.address(b), kernels.address(output)];
  const atBias = bias === null ? 0 : kernels.address(bias);
  for (let i = 0; i < Math.max(countA, countB); i++) {
    const left = atA + (countA === 1 ? 0 : i * m * k * 4);
    const right = atB + (countB === 1 ? 0 : i * k * n * 4);
    const relu = activation === "relu" ? 1 : 0;
    kernels.run.product(+transposeA, +transposeB, m, n, k, left, right, atBias, atC + i * m * n * 4, relu, scratch);
  }
  return output;
}

/** Rows and columns of what stands in the product. */
function sides({ shape }: TensorInfo, transposed: boolean): [number, number] {
  const [rows, columns] = shape.slice(-2) as [number, number];
  return transposed ? [columns, rows] : [rows, columns];
}

import { kernelsBase64 } from "./binary.ts";

type Address = number;

/** What assembly/index.ts exports; its sources say what each does. Flags are 0 or 1, lengths count floats. */
export interface Kernels {
  productScratch(): number;
  product(
    ...given: [
      transposeA: number,
      transposeB: number,
      m: number,
      n: number,
      k: number,
      a: Address,
      b: Address,
      bias: Address,
      c: Address,
      relu: number,
      scratch: Address,
    ]
  ): void;
  addOuter(
    ...given: [m: number, n: number, k: number, a: Address, b: Address, scale: number, c: Address, scratch: Address]
  ): void;
  convolutionScratch(window: Address): number;
  convolve(
    ...given: [window: Address, x: Address, kernel: Address, bias: Address, y: Address, relu: number, scratch: Address]
  ): void;
  convolveInput(window: Address, dy: Address, kernel: Address, dx: Address, scratch: Address): void;
  convolveKernel(
    ...given: [window: Address, x: Address, dy: Address, scale: number, dkernel: Address, scratch: Address]
  ): void;
  depthwiseInput(window: Address, dy: Address, kernel: Address, dx: Address): void;
  depthwiseKernel(window: Address, x: Address, dy: Address, dkernel: Address): void;
  maxPool(window: Address, x: Address, y: Address): void;
  maxPoolGradient(window: Address, x: Address, y: Address, dy: Address, dx: Address): void;
  averagePoolGradient(window: Address, dy: Address, scale: number, dx: Address): void;
  rectify(length: number, x: Address, y: Address): void;
  rectifierGradient(length: number, y: Address, dy: Address, dx: Address): void;
  addScaled(length: number, scale: number, x: Address, y: Address): void;
  addColumnSums(m: number, n: number, x: Address, scale: number, sums: Address): void;
}

let compiled: Promise<WebAssembly.Module> | undefined;

/** The kernels' code, compiled once per process. Rejects where WebAssembly or its SIMD is missing. */
export function compileKernels(): Promise<WebAssembly.Module> {
  compiled ??= compile();
  return compiled;
}

async function compile(): Promise<WebAssembly.Module> {
  if (typeof WebAssembly === "undefined") throw new Error("there is no WebAssembly on this platform");
  const binary = Uint8Array.from(atob(kernelsBase64), (character) => character.charCodeAt(0));
  if (!WebAssembly.validate(binary)) throw new Error("this platform's WebAssembly has no SIMD");
  return WebAssembly.compile(binary);
}

/** The kernels at work in `memory`, which stays the caller's: they keep nothing there between calls. */
export function kernelsIn(memory: WebAssembly.Memory, code: WebAssembly.Module): Kernels {
  return new WebAssembly.Instance(code, { env: { memory } }).exports as unknown as Kernels;
}

import { setThreadsCount, setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import {
  env,
  findBackendFactory,
  getKernel,
  type KernelConfig,
  registerBackend,
  registerKernel,
  removeBackend,
  type TensorInfo,
  unregisterKernel,
} from "@tensorflow/tfjs-core";
import { wasmFiles } from "./wasm-files.ts";

/** Starts the WebAssembly backend on one thread: its threads come as workers made of blobs, which strict pages forbid. */
export async function startWasm(): Promise<void> {
  env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
  setThreadsCount(1);
  const files = wasmFiles();
  if (files !== undefined) setWasmPaths(files);
  const factory = findBackendFactory("wasm");
  if (factory === null) throw new Error("the backend is not registered");
  const backend = await withoutNewListeners(async () => factory());
  // Registered again as it stands, so that switching to it never has to wait.
  removeBackend("wasm");
  registerBackend("wasm", () => backend, 0);
  useFastProducts();
}

interface Emitter {
  listeners(event: string): ((...given: unknown[]) => void)[];
  removeListener(event: string, listener: (...given: unknown[]) => void): unknown;
}

/** The backend's loader hooks itself into a Node process's uncaught errors, which are not its own. */
async function withoutNewListeners<Result>(work: () => Promise<Result>): Promise<Result> {
  const { process } = globalThis as unknown as { process?: Partial<Emitter> };
  if (process?.listeners === undefined || process.removeListener === undefined) return work();
  const emitter = process as Emitter;
  const events = ["uncaughtException", "unhandledRejection"];
  const before = events.map((event) => emitter.listeners(event));
  const result = await work();
  events.forEach((event, i) => {
    for (const listener of emitter.listeners(event)) {
      if (!before[i]!.includes(listener) && /ExitStatus|{ throw reason; }/.test(String(listener)))
        emitter.removeListener(event, listener);
    }
  });
  return result;
}

/**
 * The backend multiplies with XNNPACK only where neither factor is transposed, and with plain loops otherwise; every
 * gradient of a dense layer has a transposed factor. Transposing first makes training the 2NN 2 × as fast in batches of
 * 10 and 4 × in batches of 100.
 */
function useFastProducts(): void {
  const product = getKernel("BatchMatMul", "wasm");
  const transpose = getKernel("Transpose", "wasm");
  if (product === undefined || transpose === undefined) return;
  const kernelFunc: KernelConfig["kernelFunc"] = ({ inputs, backend, attrs }) => {
    const a = inputs["a"]!;
    const b = inputs["b"]!;
    const flags = attrs as { transposeA: boolean; transposeB: boolean };
    const single = isOneMatrix(a) && isOneMatrix(b);
    if (!single || (!flags.transposeA && !flags.transposeB))
      return product.kernelFunc({ inputs, backend, attrs: flags });
    const flip = (x: TensorInfo) => {
      const axes = x.shape.map((_, axis) => axis);
      const perm = [...axes.slice(0, -2), axes.at(-1)!, axes.at(-2)!];
      const [flipped] = [transpose.kernelFunc({ inputs: { x }, backend, attrs: { perm } })].flat() as [TensorInfo];
      // Where nothing moves the kernel answers with the same data and forgets the type.
      return { ...flipped, dtype: x.dtype };
    };
    const left = flags.transposeA ? flip(a) : a;
    const right = flags.transposeB ? flip(b) : b;
    const result = product.kernelFunc({
      inputs: { a: left, b: right },
      backend,
      attrs: { ...flags, transposeA: false, transposeB: false },
    });
    const data = backend as { disposeData(id: object): void };
    if (left !== a) data.disposeData(left.dataId);
    if (right !== b) data.disposeData(right.dataId);
    return result;
  };
  unregisterKernel("BatchMatMul", "wasm");
  registerKernel({ ...product, kernelFunc });
}

const isOneMatrix = ({ shape }: TensorInfo) => shape.length >= 2 && shape.slice(0, -2).every((size) => size === 1);

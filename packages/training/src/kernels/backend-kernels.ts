import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import {
  getKernel,
  type KernelConfig,
  type NamedAttrMap,
  registerKernel,
  type TensorInfo,
  unregisterKernel,
} from "@tensorflow/tfjs-core";
import { type Kernels, kernelsIn } from "./load.ts";
import { type Window, writeWindow } from "./window.ts";

/** What of the loader's module the kernels need; `asm` holds the instance's exports. */
interface Loaded {
  readonly asm: Record<string, unknown>;
  readonly HEAPU8: Uint8Array;
  _malloc(bytes: number): number;
  _free(address: number): void;
}

/** The kernels at work in the TensorFlow.js backend's own memory: nothing is copied in or out. */
export class BackendKernels {
  readonly run: Kernels;
  readonly #backend: BackendWasm;
  #scratch = 0;
  #scratchBytes = 0;
  readonly #window: number;

  constructor(backend: BackendWasm, code: WebAssembly.Module) {
    this.#backend = backend;
    const memory = Object.values(this.#loaded.asm).find((value) => value instanceof WebAssembly.Memory);
    if (memory === undefined) throw new Error("the WebAssembly backend does not show its memory");
    this.run = kernelsIn(memory, code);
    this.#window = this.#loaded._malloc(64) >>> 0;
  }

  /** Where a tensor is. Its place stays the same while it lives, whatever else is allocated. */
  address(tensor: TensorInfo): number {
    return this.#backend.getMemoryOffset(tensor.dataId);
  }

  /** A new tensor of floats with whatever its memory held before. */
  output(shape: readonly number[]): TensorInfo {
    return this.#backend.makeOutput([...shape], "float32");
  }

  /** A new tensor of zeros. */
  zeros(shape: readonly number[]): TensorInfo {
    const tensor = this.output(shape);
    this.floats(tensor).fill(0);
    return tensor;
  }

  /** A tensor's values where they are: good until something is allocated. */
  floats(tensor: TensorInfo): Float32Array {
    const length = tensor.shape.reduce((product, size) => product * size, 1);
    return new Float32Array(this.#loaded.HEAPU8.buffer, this.address(tensor), length);
  }

  integers(tensor: TensorInfo): Int32Array {
    const { buffer, byteOffset, length } = this.floats(tensor);
    return new Int32Array(buffer, byteOffset, length);
  }

  dispose(tensor: TensorInfo): void {
    this.#backend.disposeData(tensor.dataId);
  }

  /** A window in memory, until the next call. */
  window(window: Window): number {
    writeWindow(window, this.#loaded.HEAPU8.buffer, this.#window);
    return this.#window;
  }

  /** Room for at least so many bytes, until the next call. */
  scratch(bytes: number): number {
    if (bytes > this.#scratchBytes) {
      this.#loaded._free(this.#scratch);
      this.#scratch = this.#loaded._malloc(bytes) >>> 0;
      this.#scratchBytes = bytes;
    }
    return this.#scratch;
  }

  get #loaded(): Loaded {
    return this.#backend.wasm as unknown as Loaded;
  }
}

type KernelFunc = KernelConfig["kernelFunc"];
/** Gives a kernel's answer, or undefined to leave it to the kernel that was there before. */
export type Attempt = (given: {
  readonly inputs: Record<string, TensorInfo>;
  readonly backend: object;
  readonly attrs: NamedAttrMap;
}) => TensorInfo | undefined;

/** Puts `attempt` in front of the backend's kernel of this name, or where there is none. */
export function replaceKernel(kernelName: string, attempt: Attempt): void {
  const before = getKernel(kernelName, "wasm");
  const kernelFunc: KernelFunc = (given) => {
    const answer = attempt(given as unknown as Parameters<Attempt>[0]);
    if (answer !== undefined) return answer;
    if (before !== undefined) return before.kernelFunc(given);
    throw new Error(`${kernelName} is not there on WebAssembly for ${JSON.stringify(given.attrs)}`);
  };
  if (before !== undefined) unregisterKernel(kernelName, "wasm");
  registerKernel({ ...before, kernelName, backendName: "wasm", kernelFunc });
}

/** Whether all of these that are there hold floats, and at least one. */
export const areFloats = (...tensors: (TensorInfo | null | undefined)[]) =>
  tensors.every((tensor) => tensor == null || (tensor.dtype === "float32" && !tensor.shape.includes(0)));

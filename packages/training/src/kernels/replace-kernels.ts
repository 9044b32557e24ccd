import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { addSums } from "./add-sums.ts";
import { BackendKernels } from "./backend-kernels.ts";
import { replaceConvolutions } from "./replace-convolutions.ts";
import { replacePools } from "./replace-pools.ts";
import { replaceProducts } from "./replace-products.ts";

/**
 * Gives the TensorFlow.js WebAssembly backend the kernels that training lacks there in @tensorflow/tfjs-backend-wasm 4.22
 * (every gradient by a kernel of a convolution), and faster ones where its own take most of the time.
 */
export function replaceKernels(backend: BackendWasm, code: WebAssembly.Module): void {
  const kernels = new BackendKernels(backend, code);
  replaceProducts(kernels);
  replaceConvolutions(kernels);
  replacePools(kernels);
  addSums(kernels);
}

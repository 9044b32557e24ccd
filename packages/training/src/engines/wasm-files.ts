/** Every build of the WebAssembly backend, by the name it asks for, with the URL that has it. */
export type WasmFiles = Readonly<
  Record<"tfjs-backend-wasm.wasm" | "tfjs-backend-wasm-simd.wasm" | "tfjs-backend-wasm-threaded-simd.wasm", string>
>;

let files: string | WasmFiles | undefined;

/**
 * Where a page serves the WebAssembly engine's `.wasm` files: a URL prefix that ends in `/`, or one URL each. Call before
 * the engine starts; in Node the files are found in the installed package.
 */
export function setWasmFiles(urls: string | WasmFiles): void {
  files = urls;
}

export const wasmFiles = () => files;

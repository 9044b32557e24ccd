let prefix: string | undefined;

/**
 * Where a page serves the WebAssembly engine's `.wasm` files: a URL prefix that ends in `/`. Call before the engine
 * starts; in Node the files are found in the installed package.
 */
export function setWasmFiles(url: string): void {
  prefix = url;
}

export const wasmFiles = () => prefix;

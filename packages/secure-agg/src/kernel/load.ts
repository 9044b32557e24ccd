import type { MaskKernel } from "./kernel.ts";
import { portableKernel } from "./portable-kernel.ts";
import { loadWasmKernel } from "./wasm-kernel.ts";

/** The fastest mask kernel of this platform. */
export async function loadKernel(): Promise<MaskKernel> {
  return (await loadWasmKernel()) ?? portableKernel();
}

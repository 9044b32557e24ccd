import { settleBackend } from "./settle-backend.ts";

interface Gpu {
  requestAdapter(): Promise<Adapter | null>;
}

interface Adapter {
  /** Browsers leave empty what would tell devices apart. */
  readonly info?: { readonly vendor: string; readonly architecture: string; readonly description: string };
}

let adapter: Adapter | null = null;

/** Starts WebGPU, in a page or a worker. The backend is loaded only once there is an adapter to run it on. */
export async function startWebGpu(): Promise<void> {
  const { navigator } = globalThis as { navigator?: { gpu?: Gpu } };
  if (navigator?.gpu === undefined) throw new Error("this browser offers no WebGPU to this page");
  adapter = await navigator.gpu.requestAdapter();
  if (adapter === null) throw new Error("WebGPU finds no graphics adapter");
  await import("@tensorflow/tfjs-backend-webgpu");
  await settleBackend("webgpu");
}

/** What the browser tells of the graphics processor; undefined where it tells nothing. Call once it has started. */
export function webGpuAdapter(): string | undefined {
  const { vendor = "", architecture = "", description = "" } = adapter?.info ?? {};
  const named = description === "" ? [vendor, architecture].filter((part) => part !== "").join(" ") : description;
  return named === "" ? undefined : named;
}

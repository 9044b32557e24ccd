import { settleBackend } from "./settle-backend.ts";

interface Gpu {
  requestAdapter(): Promise<object | null>;
}

/** Starts WebGPU, in a page or a worker. The backend is loaded only once there is an adapter to run it on. */
export async function startWebGpu(): Promise<void> {
  const { navigator } = globalThis as { navigator?: { gpu?: Gpu } };
  if (navigator?.gpu === undefined) throw new Error("this browser offers no WebGPU to this page");
  if ((await navigator.gpu.requestAdapter()) === null) throw new Error("WebGPU finds no graphics adapter");
  await import("@tensorflow/tfjs-backend-webgpu");
  await settleBackend("webgpu");
}

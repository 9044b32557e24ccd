import { env } from "@tensorflow/tfjs-core";
import { settleBackend } from "./settle-backend.ts";

/** Starts WebGL, in a page or a worker. */
export async function startWebGl(): Promise<void> {
  if (!offersWebGl()) throw new Error("this browser offers no WebGL 2 to workers");
  await import("@tensorflow/tfjs-backend-webgl");
  // With halves in place of floats a gradient's small parts vanish, and training stands still without a sign of it.
  if (!env().getBool("WEBGL_RENDER_FLOAT32_CAPABLE")) throw new Error("WebGL has no 32-bit floats on this device");
  await settleBackend("webgl");
}

function offersWebGl(): boolean {
  const { OffscreenCanvas } = globalThis as { OffscreenCanvas?: new (width: number, height: number) => Canvas };
  return OffscreenCanvas !== undefined && new OffscreenCanvas(1, 1).getContext("webgl2") !== null;
}

interface Canvas {
  getContext(kind: string): object | null;
}

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

/** What the browser tells of the graphics processor; undefined where it tells nothing. */
export function webGlAdapter(): string | undefined {
  const context = contextOf();
  const names = context?.getExtension("WEBGL_debug_renderer_info");
  const named: unknown = names == null ? undefined : context?.getParameter(names.UNMASKED_RENDERER_WEBGL);
  return typeof named === "string" && named !== "" ? named : undefined;
}

function offersWebGl(): boolean {
  return contextOf() !== null;
}

function contextOf(): Context | null {
  const { OffscreenCanvas } = globalThis as { OffscreenCanvas?: new (width: number, height: number) => Canvas };
  return OffscreenCanvas === undefined ? null : new OffscreenCanvas(1, 1).getContext("webgl2");
}

interface Canvas {
  getContext(kind: string): Context | null;
}

interface Context {
  getExtension(name: string): { readonly UNMASKED_RENDERER_WEBGL: number } | null;
  getParameter(name: number): unknown;
}

import { type BackendWasm, setThreadsCount, setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { env, findBackendFactory, registerBackend, removeBackend } from "@tensorflow/tfjs-core";
import { compileKernels } from "../kernels/load.ts";
import { replaceKernels } from "../kernels/replace-kernels.ts";
import { wasmFiles } from "./wasm-files.ts";

/** Starts the WebAssembly backend on one thread: its threads come as workers made of blobs, which strict pages forbid. */
export async function startWasm(): Promise<void> {
  const code = await compileKernels();
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
  replaceKernels(backend as BackendWasm, code);
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

import plainFile from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url";
import simdFile from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url";
import { ProtocolError } from "@tributary/protocol";
import type { CallName, FromWorker, ToWorker, WorkerCalls } from "./worker/messages.ts";

interface Pending {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
  readonly onNews: ((news: never) => void) | undefined;
}

/** The page's end of the training worker. `close` ends it and, with it, all it holds of the person's data. */
export class TrainingWorker {
  readonly #worker = new Worker(new URL("./worker/main.ts", import.meta.url), { type: "module", name: "training" });
  readonly #pending = new Map<number, Pending>();
  /** Resolves once the worker's code has arrived and runs. */
  readonly ready: Promise<void>;
  #calls = 0;

  constructor() {
    this.ready = new Promise((resolve) => {
      this.#worker.addEventListener("message", ({ data: message }: MessageEvent<FromWorker>) => {
        if (message.type === "ready") resolve();
        else if (message.type === "wantWasmFiles") void this.#sendWasmFiles();
        else this.#settle(message);
      });
    });
    this.#worker.addEventListener("error", (event) => {
      this.#failAll(new Error(`The training worker failed: ${event.message || "its code could not be loaded"}.`));
    });
  }

  /** Asks the worker and gives its answer. Rejects with its refusal, with the signal's reason, or with our own bug. */
  call<Name extends CallName>(
    name: Name,
    ask: WorkerCalls[Name]["ask"],
    options: { signal?: AbortSignal; onNews?: (news: WorkerCalls[Name]["news"]) => void } = {},
  ): Promise<WorkerCalls[Name]["answer"]> {
    const id = ++this.#calls;
    const { signal, onNews } = options;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      this.#pending.set(id, { resolve, reject, onNews });
      signal?.addEventListener("abort", () => this.#cancel(id, signal.reason as Error), { once: true });
      this.#post({ type: "call", id, name, ask } as ToWorker);
    });
  }

  close(): void {
    this.#worker.terminate();
    this.#failAll(new Error("this device left"));
  }

  #settle(message: Exclude<FromWorker, { type: "ready" | "wantWasmFiles" }>): void {
    const pending = this.#pending.get(message.id);
    if (pending === undefined) return;
    if (message.type === "news") {
      pending.onNews?.(message.news as never);
      return;
    }
    this.#pending.delete(message.id);
    if (message.type === "answer") pending.resolve(message.answer as never);
    else if (message.type === "refused") pending.reject(new ProtocolError(message.code, message.detail));
    else pending.reject(new Error(message.detail));
  }

  /** The caller need not wait for the worker to notice. */
  #cancel(id: number, reason: Error): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    this.#post({ type: "cancel", id, reason: reason.message });
    pending.reject(reason);
  }

  #failAll(error: Error): void {
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }

  async #sendWasmFiles(): Promise<void> {
    try {
      const [simd, plain] = await Promise.all([blobUrl(simdFile), blobUrl(plainFile)]);
      const files = {
        "tfjs-backend-wasm.wasm": plain,
        "tfjs-backend-wasm-simd.wasm": simd,
        // Never asked for: the engine starts on one thread.
        "tfjs-backend-wasm-threaded-simd.wasm": simd,
      };
      this.#post({ type: "wasmFiles", files });
    } catch (error) {
      const reason = `its files could not be fetched (${(error as Error).message})`;
      this.#post({ type: "noWasmFiles", reason });
    }
  }

  #post(message: ToWorker): void {
    this.#worker.postMessage(message);
  }
}

async function blobUrl(url: string): Promise<string> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`HTTP status ${response.status}`);
  return URL.createObjectURL(await response.blob());
}

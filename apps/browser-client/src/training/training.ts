import plainFile from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url";
import simdFile from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url";
import { words } from "../words.ts";
import { startWorker } from "../workers.ts";
import type { FromTraining, ToTraining } from "./messages.ts";
import type { Pace } from "./pace.ts";
import { TrainingCalls } from "./training-calls.ts";

/** The page's training worker. `close` ends it and, with it, all it holds of the person's data. */
export class Training {
  readonly #worker = startWorker("training");
  readonly #calls = new TrainingCalls(this.#worker);
  /** Resolves once the worker's code has arrived and runs. */
  readonly ready: Promise<void>;
  readonly call = this.#calls.call.bind(this.#calls);

  /** Hears of the share of right answers whenever a model was judged on the person's data. */
  onJudged: (accuracy: number) => void = () => undefined;

  constructor() {
    this.ready = new Promise((resolve) => {
      this.#worker.addEventListener("message", ({ data: message }: MessageEvent<FromTraining>) => {
        if (message.type === "ready") resolve();
        if (message.type === "judged") this.onJudged(message.accuracy);
        if (message.type === "wantWasmFiles") void this.#sendWasmFiles();
      });
    });
    this.#worker.addEventListener("error", (event) => {
      this.#calls.fail(new Error(words.files.worker(event.message || words.files.noCode)));
    });
  }

  /** A further way to ask it, for another worker. */
  channel(): MessagePort {
    const { port1, port2 } = new MessageChannel();
    this.#worker.postMessage({ type: "channel", port: port1 } satisfies ToTraining, [port1]);
    return port2;
  }

  /** From the next batch on. */
  keepTo(pace: Pace): void {
    this.#worker.postMessage({ type: "pace", pace } satisfies ToTraining);
  }

  close(): void {
    this.#worker.terminate();
    this.#calls.fail(new Error(words.files.left));
  }

  async #sendWasmFiles(): Promise<void> {
    const post = (message: ToTraining) => this.#worker.postMessage(message);
    try {
      const [simd, plain] = await Promise.all([blobUrl(simdFile), blobUrl(plainFile)]);
      const files = {
        "tfjs-backend-wasm.wasm": plain,
        "tfjs-backend-wasm-simd.wasm": simd,
        // Never asked for: the engine starts on one thread.
        "tfjs-backend-wasm-threaded-simd.wasm": simd,
      };
      post({ type: "wasmFiles", files });
    } catch (error) {
      post({ type: "noWasmFiles", reason: words.files.noFiles((error as Error).message) });
    }
  }
}

async function blobUrl(url: string): Promise<string> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(words.files.status(response.status));
  return URL.createObjectURL(await response.blob());
}

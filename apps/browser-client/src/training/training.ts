import plainFile from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url";
import simdFile from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url";
import type { ModelSpec } from "@tributary/protocol";
import type { EngineName } from "@tributary/training";
import { words } from "../words.ts";
import { startWorker } from "../workers.ts";
import type { EngineFound, FromTraining, ToTraining } from "./messages.ts";
import type { Pace } from "./pace.ts";
import { TrainingCalls } from "./training-calls.ts";
import { watchBreath } from "./watch-breath.ts";

/** The page's training worker. `close` ends it and, with it, all it holds of the person's data. */
export class Training {
  readonly #worker = startWorker("training");
  readonly #calls = new TrainingCalls(this.#worker);
  /** Resolves once the worker's code has arrived and runs. */
  readonly ready: Promise<void>;
  readonly call = this.#calls.call.bind(this.#calls);

  /** Hears of the share of right answers whenever a model was judged on the person's data. */
  onJudged: (accuracy: number) => void = () => undefined;
  /** Hears of an engine that keeps the worker from answering anything, and of the worker as good as lost. */
  onStuck: (engine: EngineName) => void = () => undefined;

  /** `stuck`: engines that were in the way of a worker before this one. */
  constructor(stuck: readonly EngineName[]) {
    this.#post({ type: "stuck", engines: stuck });
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

  /** The best engine for a model, started; hears of each that is tried. */
  engine(model: ModelSpec | undefined, onStarting?: (engine: EngineName) => void): Promise<EngineFound> {
    let tried: EngineName | undefined;
    const onNews = (engine: EngineName) => {
      tried = engine;
      onStarting?.(engine);
    };
    const stop = watchBreath({
      ask: (onAnswer) => void this.call("alive", undefined).then(onAnswer, () => undefined),
      onStuck: () => {
        if (tried !== undefined) this.onStuck(tried);
      },
    });
    return this.call("engine", { model }, { onNews }).finally(stop);
  }

  /** A further way to ask it, for another worker. */
  channel(): MessagePort {
    const { port1, port2 } = new MessageChannel();
    this.#worker.postMessage({ type: "channel", port: port1 } satisfies ToTraining, [port1]);
    return port2;
  }

  /** From the next batch on. */
  keepTo(pace: Pace): void {
    this.#post({ type: "pace", pace });
  }

  close(why: string = words.files.left): void {
    this.#worker.terminate();
    this.#calls.fail(new Error(why));
  }

  #post(message: ToTraining): void {
    this.#worker.postMessage(message);
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
      this.#post({ type: "noWasmFiles", reason: words.files.noFiles((error as Error).message) });
    }
  }
}

async function blobUrl(url: string): Promise<string> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(words.files.status(response.status));
  return URL.createObjectURL(await response.blob());
}

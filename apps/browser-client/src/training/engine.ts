import type { Trainer } from "@tributary/algorithm";
import { type ModelSpec, ProtocolError } from "@tributary/protocol";
import { chooseEngine, createTrainer, type EngineName, setWasmFiles } from "@tributary/training";
import type { EngineFound, FromTraining, RunWork, ToTraining } from "./messages.ts";

/** The best engine for `model`, started; hears of each that is tried. Throws `topology_not_approved` where none can train it. */
export async function findEngine(
  model: ModelSpec | undefined,
  onStarting: (engine: EngineName) => void,
): Promise<EngineFound> {
  try {
    return await chooseEngine({
      model,
      async onStarting(engine) {
        onStarting(engine);
        if (engine === "wasm") await obtainWasmFiles();
      },
    });
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
    throw new ProtocolError("topology_not_approved", (error as Error).message, { cause: error });
  }
}

const trainers = new Map<string, Promise<Trainer>>();

/** One trainer for each model and description of data. */
export function trainerFor({ model, data }: RunWork): Promise<Trainer> {
  const key = JSON.stringify([model, data]);
  let trainer = trainers.get(key);
  if (trainer === undefined) {
    trainer = findEngine(model, () => undefined).then(({ engine }) => createTrainer({ model, data, engine }));
    trainers.set(key, trainer);
    trainer.catch(() => trainers.delete(key));
  }
  return trainer;
}

let wasmFiles: Promise<void> | undefined;

/** Has the page fetch the WebAssembly engine's files. */
function obtainWasmFiles(): Promise<void> {
  wasmFiles ??= new Promise((resolve, reject) => {
    globalThis.addEventListener("message", ({ data: message }: MessageEvent<ToTraining>) => {
      if (message.type === "noWasmFiles") {
        // Engines that cannot run say why in their error's cause.
        const cause = new Error(message.reason);
        reject(new Error(message.reason, { cause }));
      }
      if (message.type !== "wasmFiles") return;
      setWasmFiles(message.files);
      resolve();
    });
    const page = globalThis as unknown as { postMessage(message: FromTraining): void };
    page.postMessage({ type: "wantWasmFiles" });
  });
  return wasmFiles;
}

import { noTrainer, type Trainer } from "@tributary/algorithm";
import { type DataSpec, type ModelSpec, ProtocolError } from "@tributary/protocol";
import {
  type ChosenEngine,
  checkTopology,
  chooseEngine,
  createPredictor,
  createTrainer,
  type EngineName,
  type Predictor,
  setWasmFiles,
  trainingSpeed,
} from "@tributary/training";
import type { EngineFound, FromTraining, RunWork, SpeedFound, ToTraining } from "./messages.ts";

let chosen: Promise<ChosenEngine> | undefined;

/**
 * The best engine whose arithmetic is proven, started; each of them trains every approved model. Hears of each that is
 * tried. Throws `topology_not_approved` for a model that is refused, or where nothing here can train.
 */
export async function findEngine(
  model: ModelSpec | undefined,
  onStarting: (engine: EngineName) => void = () => undefined,
): Promise<EngineFound> {
  if (model !== undefined && "topology" in model) checkTopology(model.topology);
  try {
    chosen ??= chooseEngine({
      proven: true,
      async onStarting(engine) {
        onStarting(engine);
        if (engine === "wasm") await obtainWasmFiles();
      },
    });
    const { engine, reason, parity } = await chosen;
    return { engine, reason, parity: parity! };
  } catch (error) {
    chosen = undefined;
    if (error instanceof ProtocolError) throw error;
    throw new ProtocolError("topology_not_approved", (error as Error).message, { cause: error });
  }
}

/** Measured on one of McMahan's two models, whichever a run's is more like: the second has convolutions, which cost more. */
export async function measureSpeed(model: ModelSpec | undefined): Promise<SpeedFound> {
  const { engine } = await findEngine(model);
  const preset = model !== undefined && "preset" in model && model.preset === "cnn" ? "cnn" : "2nn";
  const { examplesPerSecond } = await trainingSpeed(engine, { preset, budgetMs: 300 });
  return { preset, examplesPerSecond };
}

const trainers = new Map<string, Promise<Trainer>>();

/** One trainer for each model and description of data; none for a run without layers. */
export async function trainerFor({ model, data }: RunWork): Promise<Trainer> {
  if (model === undefined) return noTrainer;
  const key = JSON.stringify([model, data]);
  let trainer = trainers.get(key);
  if (trainer === undefined) {
    trainer = findEngine(model).then(({ engine }) => createTrainer({ model, data, engine }));
    trainers.set(key, trainer);
    trainer.catch(() => trainers.delete(key));
  }
  return trainer;
}

const predictors = new Map<string, Promise<Predictor>>();

/** One predictor for each model and description of data. */
export function predictorFor(model: ModelSpec, data: DataSpec): Promise<Predictor> {
  const key = JSON.stringify([model, data]);
  let predictor = predictors.get(key);
  if (predictor === undefined) {
    predictor = findEngine(model).then(({ engine }) => createPredictor({ model, data, engine }));
    predictors.set(key, predictor);
    predictor.catch(() => predictors.delete(key));
  }
  return predictor;
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

import { noTrainer, type Trainer } from "@tributary/algorithm";
import { type DataSpec, type ModelSpec, ProtocolError } from "@tributary/protocol";
import {
  type ChosenEngine,
  checkTopology,
  chooseEngine,
  createPredictor,
  createTrainer,
  type EngineName,
  modelSpeed,
  type Predictor,
  setWasmFiles,
} from "@tributary/training";
import type { EngineFound, FromTraining, RunWork, SpeedAsked, ToTraining } from "./messages.ts";

/** Larger batches are hardly faster, and would take long to try. */
const largestBatch = 100;

let chosen: Promise<ChosenEngine> | undefined;
let stuck: readonly EngineName[] = [];

/** Has these never be tried. */
export function avoidEngines(engines: readonly EngineName[]): void {
  stuck = engines;
}

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
      stuck,
      async onStarting(engine) {
        onStarting(engine);
        if (engine === "wasm") await obtainWasmFiles();
      },
    });
    const { engine, reason, adapter, parity } = await chosen;
    return { engine, reason, adapter, parity: parity! };
  } catch (error) {
    chosen = undefined;
    if (error instanceof ProtocolError) throw error;
    throw new ProtocolError("topology_not_approved", (error as Error).message, { cause: error });
  }
}

/** Examples a second, measured on made-up examples of the run's kind. */
export async function measureSpeed({ batchSize, ...run }: SpeedAsked): Promise<number> {
  const { engine } = await findEngine(run.model);
  const speed = await modelSpeed(engine, { ...run, batchSize: Math.min(batchSize, largestBatch), budgetMs: 300 });
  return speed.examplesPerSecond;
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

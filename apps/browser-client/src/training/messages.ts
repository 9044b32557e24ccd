import type { Contribution, KeptState, Question, TrainingProgress } from "@tributary/algorithm";
import type { DataSpec, ModelSpec, RefusalCode } from "@tributary/protocol";
import type { CsvSchema, EngineName, Parity, WasmFiles } from "@tributary/training";

import type { Pace } from "./pace.ts";

/** The data that a person chose. Files stay handles until the worker reads them. */
export type DataChoice =
  | { readonly kind: "digits"; readonly device: number; readonly of: number; readonly examples: number }
  | { readonly kind: "mnist"; readonly images: File; readonly labels: File }
  | { readonly kind: "csv"; readonly file: File; readonly schema: CsvSchema }
  /** Read by the run's own characters and windows, so that what does not fit is named by its line. */
  | { readonly kind: "text"; readonly file: File; readonly window: number; readonly vocabulary: string }
  /** `shape` is the run's, to which each image is scaled; `classes` in the order of their numbers. */
  | {
      readonly kind: "images";
      readonly files: readonly LabelledFile[];
      readonly shape: DataSpec["shape"];
      readonly classes: readonly string[];
    };

/** A file and the name of the folder that it lies in. */
export interface LabelledFile {
  readonly file: File;
  readonly label: string;
}

/** What was found in the data; examples themselves never leave the worker. */
export interface DataFound {
  readonly data: DataSpec;
  readonly examples: number;
  /** How many examples each class has, with the class's name. */
  readonly classes: readonly { readonly name: string; readonly examples: number }[];
  /** The features of a table. */
  readonly features: readonly string[];
}

export interface EngineFound {
  readonly engine: EngineName;
  /** Which it is, and why each better one was passed over. */
  readonly reason: string;
  /** Its step beside plain JavaScript's. */
  readonly parity: Parity;
}

/** How fast this device trains one of McMahan's two models on 28 × 28 pixels. */
export interface SpeedFound {
  readonly preset: "2nn" | "cnn";
  readonly examplesPerSecond: number;
}

/** The part of a run that the worker needs for its work. */
export interface RunWork {
  readonly algorithm: string;
  /** Absent where the algorithm trains no layers. */
  readonly model: ModelSpec | undefined;
  readonly data: DataSpec;
}

/** Everything that the page asks of the worker: what is asked, what it answers, what it tells meanwhile. */
export interface WorkerCalls {
  /** The best engine for a model, started. */
  engine: { ask: { model: ModelSpec | undefined }; answer: EngineFound; news: EngineName };
  /** Each class's probability for one example, by a model with these weights. */
  predict: {
    ask: { model: ModelSpec; data: DataSpec; weights: Float32Array; features: Float32Array };
    answer: Float32Array;
    news: never;
  };
  /** How many weights a model has. */
  size: { ask: { model: ModelSpec; data: DataSpec }; answer: number; news: never };
  /** How fast the engine is here. */
  speed: { ask: { model: ModelSpec | undefined }; answer: SpeedFound; news: never };
  /** The column names of a table. */
  columns: { ask: { file: File }; answer: readonly string[]; news: never };
  /** Reads data and keeps it, in place of what was kept before. */
  open: { ask: { choice: DataChoice }; answer: DataFound; news: never };
  /** Draws some of the images that were read on the page's canvas. */
  draw: { ask: { canvas: OffscreenCanvas }; answer: undefined; news: never };
  /** Keeps what was chosen in this browser over visits; with nothing chosen, deletes what was kept. */
  keep: { ask: { choice: DataChoice | undefined }; answer: undefined; news: never };
  /** What was kept in an earlier visit. */
  kept: { ask: undefined; answer: DataChoice | undefined; news: never };
  /** Whether the kept data fits a run whose algorithm and model can be worked on here; refused if not. */
  prepare: { ask: RunWork; answer: EngineFound; news: never };
  /** One contribution, by the device's half of the run's algorithm. */
  contribute: {
    ask: { run: RunWork; question: Question } & (
      | { readonly kind: "train"; readonly kept: KeptState | undefined; readonly lost: boolean }
      | { readonly kind: "evaluate" }
    );
    answer: { contribution: Contribution; next: KeptState | undefined };
    news: TrainingProgress;
  };
}
export type CallName = keyof WorkerCalls;

/** From the page, or over a channel that the page made. */
export type ToTraining =
  | { [Name in CallName]: { type: "call"; id: number; name: Name; ask: WorkerCalls[Name]["ask"] } }[CallName]
  | { readonly type: "cancel"; readonly id: number; readonly reason: string }
  | { readonly type: "pace"; readonly pace: Pace }
  /** Another worker may ask over this port. */
  | { readonly type: "channel"; readonly port: MessagePort }
  | { readonly type: "wasmFiles"; readonly files: WasmFiles }
  | { readonly type: "noWasmFiles"; readonly reason: string };

export type FromTraining =
  | { readonly type: "ready" }
  /** The share of right answers of a model that this device was asked to judge. */
  | { readonly type: "judged"; readonly accuracy: number }
  /** The WebAssembly engine is next: only the page can fetch its files, for the worker has no way to the network. */
  | { readonly type: "wantWasmFiles" }
  | { readonly type: "news"; readonly id: number; readonly news: unknown }
  | { readonly type: "answer"; readonly id: number; readonly answer: unknown }
  | { readonly type: "refused"; readonly id: number; readonly code: RefusalCode; readonly detail: string }
  | { readonly type: "failed"; readonly id: number; readonly detail: string };

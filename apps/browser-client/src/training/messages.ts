import type { Contribution, KeptState, Question, TrainingProgress } from "@tributary/algorithm";
import type { RoundTraffic } from "@tributary/catalog";
import type { DataSpec, ModelSpec, RefusalCode, RunSpec } from "@tributary/protocol";
import type { CsvSchema, EngineName, Parity, WasmFiles } from "@tributary/training";

import type { Pace } from "./pace.ts";

/** The data that a person chose. Files stay handles until the worker reads them. */
export type DataChoice =
  | { readonly kind: "digits"; readonly device: number; readonly of: number; readonly examples: number }
  | { readonly kind: "mnist"; readonly images: File; readonly labels: File }
  | { readonly kind: "csv"; readonly file: File; readonly schema: CsvSchema }
  /** Read by the run's own characters and windows, so that what does not fit is named by its line. */
  | { readonly kind: "text"; readonly file: File; readonly window: number; readonly vocabulary: string }
  /** Rows of as many features as the run has, to be told or predicted as it asks. */
  | { readonly kind: "libsvm"; readonly file: File; readonly data: DataSpec }
  /** By the run's own users and items. */
  | { readonly kind: "ratings"; readonly file: File; readonly data: DataSpec }
  /** `shape` is the run's, to which each image is scaled; `classes` in the order of their numbers. */
  | {
      readonly kind: "images";
      readonly files: readonly LabelledFile[];
      readonly shape: DataSpec["shape"];
      readonly classes: readonly string[];
    };

/** What a person chose to keep in this browser, and the name that it was kept by: another tab may keep something else. */
export interface KeptChoice {
  readonly name: string;
  readonly choice: DataChoice;
}

/** A file and the name of the folder that it lies in. */
export interface LabelledFile {
  readonly file: File;
  readonly label: string;
}

/** Something that a person asks a trained model about. */
export type Example =
  | { readonly kind: "features"; readonly features: Float32Array }
  /** Scaled as the run's images are. */
  | { readonly kind: "picture"; readonly file: File }
  /** A line in LIBSVM's form; what it says it is does not count. */
  | { readonly kind: "line"; readonly line: string };

/** A trained model, to be asked. */
export interface Trained {
  readonly model: ModelSpec;
  readonly data: DataSpec;
  readonly weights: Float32Array;
}

/** What was found in the data; examples themselves never leave the worker. */
export interface DataFound {
  readonly data: DataSpec;
  readonly examples: number;
  /** How many examples each class has, with the class's name. */
  readonly classes: readonly { readonly name: string; readonly examples: number }[];
  /** The features of a table; those of a column that is a category are `column=value`, one for each of its values. */
  readonly features: readonly string[];
  readonly categorical: readonly string[];
}

/** The set of data that a person agreed to give. */
export interface Given {
  readonly set: number;
  readonly found: DataFound;
}

export interface EngineFound {
  readonly engine: EngineName;
  /** Which it is, and why each better one was passed over. */
  readonly reason: string;
  /** The graphics processor that it calculates on, where the browser names it. Not sent to the coordinator. */
  readonly adapter: string | undefined;
  /** Its step beside plain JavaScript's. */
  readonly parity: Parity;
}

/** A model whose pace is to be found, on data of this description, in batches of at most so many examples. */
export interface SpeedAsked {
  readonly model: ModelSpec;
  readonly data: DataSpec;
  readonly batchSize: number;
}

/** The part of a run that the worker needs for its work. */
export interface RunWork {
  /** The number of the set of data that the person agreed to give; the worker works on no other. */
  readonly set: number;
  readonly algorithm: string;
  /** Absent where the algorithm trains no layers. */
  readonly model: ModelSpec | undefined;
  readonly data: DataSpec;
}

/** How much a device of a run sends and fetches. */
export interface RoundSize extends RoundTraffic {
  readonly parameters: number | undefined;
}

/** Everything that the page asks of the worker: what is asked, what it answers, what it tells meanwhile. */
export interface WorkerCalls {
  /** Answered at once, unless something keeps the worker from it. */
  alive: { ask: undefined; answer: undefined; news: never };
  /** The best engine for a model, started. */
  engine: { ask: { model: ModelSpec | undefined }; answer: EngineFound; news: EngineName };
  /** Each class's probability for one example, or the number predicted, by a model with these weights. */
  predict: {
    ask: Trained & { example: Example };
    answer: Float32Array;
    news: never;
  };
  /** Goes on from a beginning by a model of text; the news is what it has written so far. */
  write: {
    ask: Trained & { beginning: string; characters: number };
    answer: string;
    news: string;
  };
  /** How many weights a run's model has, where it has layers, and what a round of it sends and fetches. */
  size: { ask: { spec: RunSpec }; answer: RoundSize; news: never };
  /** How many examples a second the engine trains here. */
  speed: { ask: SpeedAsked; answer: number; news: never };
  /** The column names of a table. */
  columns: { ask: { file: File; header: boolean }; answer: readonly string[]; news: never };
  /**
   * Reads data and holds it under a number, in place of what was held before; refused once the signal comes. The news is
   * the share that has been read.
   */
  open: { ask: { set: number; choice: DataChoice }; answer: DataFound; news: number };
  /** Lets go of what was read. */
  forget: { ask: undefined; answer: undefined; news: never };
  /** Draws some of what was read on the page's canvas, text in the colour `ink`. */
  draw: { ask: { canvas: OffscreenCanvas; ink: string }; answer: undefined; news: never };
  /** Keeps what was chosen in this browser over visits; with nothing given, deletes what was kept. */
  keep: { ask: { kept: KeptChoice | undefined }; answer: undefined; news: never };
  /** What was kept in an earlier visit. */
  kept: { ask: undefined; answer: KeptChoice | undefined; news: never };
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
  /** Engines that stood still in a worker before this one. */
  | { readonly type: "stuck"; readonly engines: readonly EngineName[] }
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

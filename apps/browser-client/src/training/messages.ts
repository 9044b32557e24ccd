import type { Contribution, Question, TrainingProgress } from "@tributary/algorithm";
import type { AttemptKind, DataSpec, ModelSpec, RefusalCode } from "@tributary/protocol";
import type { CsvSchema, EngineName, WasmFiles } from "@tributary/training";

/** The data that a person chose. Files stay handles until the worker reads them. */
export type DataChoice =
  | { readonly kind: "digits"; readonly device: number; readonly of: number; readonly examples: number }
  | { readonly kind: "mnist"; readonly images: File; readonly labels: File }
  | { readonly kind: "csv"; readonly file: File; readonly schema: CsvSchema };

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
}

/** The part of a run that the worker needs for its work. */
export interface RunWork {
  readonly algorithm: string;
  readonly model: ModelSpec;
  readonly data: DataSpec;
}

/** Everything that the page asks of the worker: what is asked, what it answers, what it tells meanwhile. */
export interface WorkerCalls {
  /** The best engine for a model, started. */
  engine: { ask: { model: ModelSpec | undefined }; answer: EngineFound; news: EngineName };
  /** The column names of a table. */
  columns: { ask: { file: File }; answer: readonly string[]; news: never };
  /** Reads data and keeps it, in place of what was kept before. */
  open: { ask: { choice: DataChoice }; answer: DataFound; news: never };
  /** Whether the kept data fits a run whose algorithm and model can be worked on here; refused if not. */
  prepare: { ask: RunWork; answer: EngineFound; news: never };
  /** One contribution, by the device's half of the run's algorithm. */
  contribute: {
    ask: { run: RunWork; kind: AttemptKind; question: Question };
    answer: Contribution;
    news: TrainingProgress;
  };
}
export type CallName = keyof WorkerCalls;

/** From the page, or over a channel that the page made. */
export type ToTraining =
  | { [Name in CallName]: { type: "call"; id: number; name: Name; ask: WorkerCalls[Name]["ask"] } }[CallName]
  | { readonly type: "cancel"; readonly id: number; readonly reason: string }
  /** Another worker may ask over this port. */
  | { readonly type: "channel"; readonly port: MessagePort }
  | { readonly type: "wasmFiles"; readonly files: WasmFiles }
  | { readonly type: "noWasmFiles"; readonly reason: string };

export type FromTraining =
  | { readonly type: "ready" }
  /** The WebAssembly engine is next: only the page can fetch its files, for the worker has no way to the network. */
  | { readonly type: "wantWasmFiles" }
  | { readonly type: "news"; readonly id: number; readonly news: unknown }
  | { readonly type: "answer"; readonly id: number; readonly answer: unknown }
  | { readonly type: "refused"; readonly id: number; readonly code: RefusalCode; readonly detail: string }
  | { readonly type: "failed"; readonly id: number; readonly detail: string };

import type { Dataset, Features, Targets, Trainer, TrainingJob, TrainingProgress } from "@tributary/algorithm";
import type { DataSpec, ModelSpec, Problem } from "@tributary/protocol";
import type { EngineName } from "../engines/engines.ts";

/** What a thread needs to know of a dataset, whose examples stay where they are. */
export type DatasetOutline = Pick<Dataset, "examples" | "shape" | "classes" | "target">;

/** A job as it crosses: all that a structured clone can carry. */
type Crossing<Given> = Omit<Given, "data" | "random" | "signal" | "onProgress"> & { readonly data: DatasetOutline };

export type ThreadWork =
  | { readonly kind: "open" }
  | ({ readonly kind: "train" } & Crossing<TrainingJob>)
  | ({ readonly kind: "gradient" | "evaluate" } & Crossing<Parameters<Trainer["evaluate"]>[0]>);

/** One job at a time; what belongs to it comes in between. */
export type ToThread =
  | {
      readonly type: "work";
      readonly model: ModelSpec;
      readonly data: DataSpec;
      readonly engine: EngineName;
      readonly work: ThreadWork;
    }
  /** The buffers of the last `read` are filled. */
  | { readonly type: "filled" }
  | { readonly type: "unreadable"; readonly failure: Failure }
  | { readonly type: "abort" };

export type FromThread =
  /** Wants these examples in its buffers, which are shared; brings the progress made since. */
  | {
      readonly type: "read";
      readonly positions: Uint32Array;
      readonly features: Features;
      readonly targets: Targets;
      readonly progress: TrainingProgress | undefined;
    }
  /** Wants the order of an epoch in shared `order`, and sleeps until `ready[0]` is 1. */
  | { readonly type: "order"; readonly order: Uint32Array; readonly ready: Int32Array }
  | { readonly type: "done"; readonly value: unknown; readonly progress: TrainingProgress | undefined }
  | { readonly type: "failed"; readonly failure: Failure };

/** An error on its way between threads: a refusal, or what else was thrown. */
export type Failure = { readonly problem: Problem } | { readonly message: string; readonly stack: string | undefined };

import type {
  ClientHalf,
  Contribution,
  Dataset,
  KeptState,
  Random,
  Trainer,
  TrainingProgress,
} from "@tributary/algorithm";
import {
  elementOf,
  encodeFrame,
  firstNonFinite,
  ProtocolError,
  type StepQuestion,
  type Vector,
} from "@tributary/protocol";
import type { Settled } from "./kept.ts";

/** What one device needs to do one run's work. */
export interface LocalWork {
  readonly half: ClientHalf;
  readonly data: Dataset;
  readonly trainer: Trainer;
  /** Passes over the data that this device can make in a round, drawn anew for each. Default: as many as it is asked for. */
  readonly epochsAtMost?: ((random: Random) => number) | undefined;
}

/** An encoded contribution, and what is to be kept if the round that it is for is committed with it. */
export interface Worked {
  readonly frame: Uint8Array;
  readonly next: KeptState | undefined;
}

/**
 * The answer to `question`, worked out on the device's own data. Throws the work's own refusal, the signal's
 * reason, `training_diverged` for a value that is not finite, or `bad_update` for an answer of another shape than asked.
 */
export async function contribute(
  question: StepQuestion,
  local: LocalWork,
  options: {
    vectors: Readonly<Record<string, Vector>>;
    settled: Settled;
    random: Random;
    signal: AbortSignal;
    onProgress: (progress: TrainingProgress) => void;
  },
): Promise<Worked> {
  const { half, data, trainer } = local;
  const { vectors, settled, random, signal, onProgress } = options;
  const input = { question: { settings: question.settings, vectors }, data, trainer, signal, onProgress };
  const epochsAtMost = local.epochsAtMost?.(random);
  const { contribution, next } =
    question.kind === "train"
      ? await half.work({ ...input, ...settled, epochsAtMost, random })
      : { contribution: await half.evaluate(input), next: undefined };
  signal.throwIfAborted();
  checkContribution(contribution, question);
  return { frame: encodeFrame(contribution), next };
}

function checkContribution({ values, weight }: Contribution, { kind, answer }: StepQuestion): void {
  const element = elementOf(values);
  if (element !== answer.element || values.length !== answer.length) {
    const detail = `the step asks for ${answer.length} ${answer.element}, this device's answer is ${values.length} ${element}`;
    throw new ProtocolError("bad_update", detail);
  }
  // Refused here rather than sent as something finite, which would poison the sum unseen.
  const at = firstNonFinite(values);
  if (at >= 0) {
    const what = kind === "train" ? "training" : "evaluation";
    const detail = `${what} gave ${values[at]} at index ${at} of ${values.length}; nothing was sent (try a smaller learning rate)`;
    throw new ProtocolError("training_diverged", detail);
  }
  if (!Number.isFinite(weight) || weight <= 0) {
    throw new ProtocolError("bad_update", `the contribution's weight must be finite and above 0, found ${weight}`);
  }
}

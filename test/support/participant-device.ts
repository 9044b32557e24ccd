import { seededRandom } from "@tributary/algorithm";
import {
  type Clock,
  type Participant,
  type ParticipantEvent,
  type ParticipantOptions,
  participate,
} from "@tributary/participant";
import type { ClientId, RunId, RunPlan, StepQuestion } from "@tributary/protocol";
import type { ScriptedCoordinator } from "./participant-coordinator.ts";
import { Log } from "./participant-log.ts";
import { averaging, clusters, softmaxTrainer } from "./participant-softmax.ts";

export const theRun = "run-00000001" as RunId;

/** A plain run on the data that these tests' devices hold. */
export function planOf(run: RunId, different: Partial<RunPlan> = {}): RunPlan {
  return {
    run,
    name: "two clusters",
    phase: "gathering",
    round: 0,
    algorithm: { name: "averaging" },
    model: { preset: "logistic" },
    data: { kind: "table", shape: [2], target: "class", classes: 2 },
    rounds: 3,
    secureAggregation: "none",
    tags: [],
    ...different,
  };
}

/** A question of the run: train from `model`, six weights, for `epochs`. */
export function questionOf(
  model: StepQuestion["vectors"][string],
  different: Partial<StepQuestion> & { epochs?: number; learningRate?: number } = {},
): StepQuestion {
  const { epochs = 2, learningRate = 0.5, ...fields } = different;
  return {
    run: theRun,
    round: 1,
    attempt: 1,
    step: 0,
    kind: "train",
    modelVersion: 0,
    settings: { epochs, learningRate },
    vectors: { model },
    answer: { element: "f32", length: 6 },
    remainingMs: 60_000,
    ...fields,
  };
}

/** Waits a tenth of what is asked, so that back-off does not slow the tests down. */
export const hastyClock: Clock = {
  now: () => performance.now(),
  setTimeout(callback, ms) {
    const timer = setTimeout(callback, ms / 10);
    return () => clearTimeout(timer);
  },
};

export interface TestDevice {
  readonly participant: Participant;
  readonly events: Log<ParticipantEvent>;
  readonly trainer: ReturnType<typeof softmaxTrainer>;
  /** The first event of a type, now or later; `from` skips so many of that type. */
  event<Type extends ParticipantEvent["type"]>(
    type: Type,
    fits?: (event: Extract<ParticipantEvent, { type: Type }>) => boolean,
  ): Promise<Extract<ParticipantEvent, { type: Type }>>;
  /** Its identity, once it has offered itself to the run. */
  offered(): Promise<ClientId>;
}

/** A device with sixteen points of two clusters; `different` replaces any of its options. */
export function deviceOf(
  coordinator: Pick<ScriptedCoordinator, "url">,
  different: Partial<ParticipantOptions> = {},
): TestDevice {
  const events = new Log<ParticipantEvent>();
  const data = clusters(16);
  const trainer = softmaxTrainer(data);
  const participant = participate({
    coordinator: coordinator.url,
    name: "a device",
    engine: trainer.engine,
    fetch,
    clock: hastyClock,
    random: seededRandom(7, "device"),
    datasetFor: () => data,
    trainerFor: () => trainer,
    clientHalf: () => averaging,
    onEvent: events.add,
    ...different,
  });
  const event = <Type extends ParticipantEvent["type"]>(
    type: Type,
    fits: (event: Extract<ParticipantEvent, { type: Type }>) => boolean = () => true,
  ) =>
    events.next(
      (entry): entry is Extract<ParticipantEvent, { type: Type }> =>
        entry.type === type && fits(entry as Extract<ParticipantEvent, { type: Type }>),
    );
  const offered = async () => {
    await event("offered");
    return (await event("connected")).client;
  };
  return { participant, events, trainer, event, offered };
}

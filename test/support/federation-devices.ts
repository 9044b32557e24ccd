import type { ClientHalf, Dataset } from "@tributary/algorithm";
import { type JoinHandle, join } from "@tributary/node-client";
import type { DeviceFloors, ParticipantEvent } from "@tributary/participant";
import type { RunId } from "@tributary/protocol";
import { onTestFinished } from "vitest";
import { Log } from "./participant-log.ts";
import { clusters, softmaxTrainer } from "./participant-softmax.ts";

export interface TestDevices {
  readonly handle: JoinHandle;
  readonly events: Log<{ readonly event: ParticipantEvent; readonly device: string }>;
  /** The first event of this type, now or later, of any of the devices or of the one named. */
  heard(type: ParticipantEvent["type"], device?: string): Promise<ParticipantEvent>;
}

/** Data of the runs that `specOf` describes: points of two clusters. */
export const tinyData = { kind: "table" as const, shape: [2], target: "class" as const, classes: 2 };

/** Real devices in this process, each with points of two clusters, training with plain loops. They leave with the test. */
export function tinyDevices(
  url: string,
  names: readonly string[],
  options: {
    run?: string;
    tags?: readonly string[];
    examples?: (device: number) => number;
    dataset?: Dataset;
    clientHalf?: (name: string) => ClientHalf;
    ledgerFile?: string;
    floors?: DeviceFloors;
  } = {},
): TestDevices {
  const events = new Log<{ event: ParticipantEvent; device: string }>();
  const { run, tags = [], examples = () => 16, dataset, ...more } = options;
  const handle = join({
    coordinator: url,
    tags,
    ...more,
    ...(run === undefined ? {} : { run: run as RunId }),
    devices: names.map((name, i) => ({ name, dataset: dataset ?? clusters(examples(i)), data: tinyData })),
    engine: "plain loops",
    trainerFactory: async () => plainTrainer(),
    onEvent: (event, device) => events.add({ event, device }),
  });
  handle.done.catch(() => undefined);
  onTestFinished(() => handle.leave().catch(() => undefined));
  return {
    handle,
    events,
    heard: async (type, device) =>
      (await events.next((entry) => entry.event.type === type && (device ?? entry.device) === entry.device)).event,
  };
}

/** One trainer for all devices of a process, as in `join` itself: it trains on whatever data a job brings. */
function plainTrainer(): ReturnType<typeof softmaxTrainer> {
  const { engine, parameters, batches } = softmaxTrainer(clusters(2));
  return {
    engine,
    parameters,
    batches,
    train: (job) => softmaxTrainer(job.data).train(job),
    gradient: (input) => softmaxTrainer(input.data).gradient(input),
    evaluate: (input) => softmaxTrainer(input.data).evaluate(input),
  };
}

import type { ClientHalf, Dataset, Random } from "@tributary/algorithm";
import { type DeviceFloors, type ParticipantEvent, systemClock } from "@tributary/participant";
import type { DataSpec, RunId } from "@tributary/protocol";
import type { ChosenEngine } from "@tributary/training";
import { coordinatorAddress } from "./address.ts";
import { hosting, together } from "./hosting.ts";
import { openLedgerFile } from "./ledger-file.ts";
import { MemoryCap } from "./memory-cap.ts";
import { reach } from "./reach.ts";
import { keepTo, parseSchedule } from "./schedule.ts";
import { openTrainers, type TrainerFactory } from "./trainers.ts";

/** One device of this process: its name, its examples and what they look like. */
export interface HostedDevice {
  readonly name: string;
  readonly dataset: Dataset;
  readonly data: DataSpec;
}

export interface JoinOptions {
  /** The coordinator's base URL. Plain http to another machine needs `insecure`. */
  readonly coordinator: string;
  /** SHA-256 of the coordinator's certificate, as it prints it: nothing else is trusted then. */
  readonly fingerprint?: string;
  readonly insecure?: boolean;
  readonly joinToken?: string;
  /** Put before each device's own name. */
  readonly name?: string;
  readonly tags?: readonly string[];
  /** This run alone, and done when it is over; otherwise every open run that fits, until told to leave. */
  readonly run?: RunId;
  readonly devices: readonly HostedDevice[];
  /** An engine of `@tributary/training`; default: the best one that runs here and takes the step that it should. */
  readonly engine?: string;
  /** Hears which engine it is, why, and how its step compared with plain JavaScript's, before anything is sent. */
  readonly onEngine?: (chosen: ChosenEngine) => void;
  /** How many devices of this process train at the same time, each on a thread of its own. Default: 1, on this thread. */
  readonly threads?: number;
  /** Hours of the day, local time, such as `22:00-06:00`: outside them the devices leave, and come back by themselves. */
  readonly schedule?: string;
  /** Decline models that would need more, and leave with `MemoryCapReached` where the process holds more all the same. */
  readonly maxMemoryBytes?: number;
  /**
   * A JSON file that keeps each device's key and remembers who it is; default: a new identity each time. Beside it, in
   * `…-answers`, the devices remember for which models they revealed shares, and in the folder `…-kept` what algorithms
   * have them keep from round to round.
   */
  readonly identityFile?: string;
  /** Passes over the data that each of these devices can make in a round, drawn anew for each. Default: as many as asked for. */
  readonly epochsAtMost?: (random: Random) => number;
  /** What these devices insist on, whatever a coordinator proposes. */
  readonly floors?: DeviceFloors;
  /**
   * 32 bytes in base64 that every device's key is derived from, in place of a key in the identity file, which is needed all
   * the same: a device that keeps its key must remember what it revealed. A secret.
   */
  readonly deviceKey?: string;
  /** The coordinator's Ed25519 key in base64; default: the one it proves at first. */
  readonly coordinatorKey?: string;
  /** The operator's Ed25519 key in base64: only devices on a roster that it signed are trusted then. */
  readonly operatorKey?: string;
  /** A file (JSON lines) in which everything that leaves this process is written down. */
  readonly ledgerFile?: string;
  /** Give up when the coordinator does not answer within `connectTimeoutMs` at first. */
  readonly failFast?: boolean;
  /** Default: 10 s. */
  readonly connectTimeoutMs?: number;
  readonly onEvent?: (event: ParticipantEvent, device: string) => void;
  /** Leaves when it comes. */
  readonly signal?: AbortSignal;
  /** In place of the engines of `@tributary/training`; `engine` is then only what the operator sees. */
  readonly trainerFactory?: TrainerFactory;
  /** In place of the catalog's algorithms. */
  readonly clientHalf?: (name: string) => ClientHalf;
}

/** Devices that have joined, or are about to. */
export interface JoinHandle {
  /** Resolves when every device is done, rejects with the first failure, after which the others have left too. */
  readonly done: Promise<void>;
  /** Leaves with every device, within one batch of any training. */
  leave(): Promise<void>;
}

/** Lends this machine to a federation: one process, one engine, any number of devices. Never parses arguments. */
export function join(options: JoinOptions): JoinHandle {
  const leaving = new AbortController();
  const done = lend(options, leaving.signal);
  const leave = () => {
    leaving.abort(new Error("this device leaves"));
    return done;
  };
  options.signal?.addEventListener("abort", () => leaving.abort(options.signal?.reason), { once: true });
  if (options.signal?.aborted) leaving.abort(options.signal.reason);
  return { done, leave };
}

async function lend(options: JoinOptions, leaving: AbortSignal): Promise<void> {
  const { devices, connectTimeoutMs = 10_000, threads = 1, maxMemoryBytes, onEvent } = options;
  const coordinator = coordinatorAddress(options.coordinator, { insecure: options.insecure ?? false });
  const schedule = options.schedule === undefined ? undefined : parseSchedule(options.schedule);
  const memory =
    maxMemoryBytes === undefined ? undefined : new MemoryCap(maxMemoryBytes, () => process.memoryUsage.rss());
  memory?.check();
  const { trainerFactory, engine, onEngine } = options;
  const trainers = await openTrainers({ trainerFactory, engine, threads, memory, onEngine });
  const onWait = (reason: string, retryInMs: number) => {
    for (const { name } of devices) onEvent?.({ type: "waiting", reason, retryInMs }, name);
  };
  const limit = options.failFast ? { connectTimeoutMs } : {};
  const ledger = options.ledgerFile === undefined ? undefined : openLedgerFile(options.ledgerFile);
  try {
    const transport = await reach(coordinator, options.fingerprint, { ...limit, signal: leaving, onWait });
    if (transport === undefined) return;
    const host = hosting(options, { coordinator, transport, trainers, ledger });
    const session = (signal: AbortSignal) => together(host(), signal);
    const work = (signal: AbortSignal) =>
      schedule === undefined
        ? session(signal)
        : keepTo(schedule, {
            ...{ wallTime: () => new Date(), clock: systemClock, signal, work: session },
            onPause: (until) => onWait(pauseText(options.schedule!, until), until.getTime() - Date.now()),
          });
    try {
      await (memory === undefined ? work(leaving) : memory.during(work, { clock: systemClock, signal: leaving }));
    } finally {
      await transport.close();
    }
  } finally {
    await trainers.close();
    ledger?.close();
  }
}

function pauseText(schedule: string, until: Date): string {
  const time = `${until.getHours()}`.padStart(2, "0").concat(":", `${until.getMinutes()}`.padStart(2, "0"));
  return `outside its hours (${schedule}); back at ${time}`;
}

import type { TrainingProgress } from "@tributary/algorithm";
import type { Pace, ParticipantEvent } from "@tributary/participant";
import type { RunPlan } from "@tributary/protocol";

/** Where a log goes, training is mentioned this often at most. */
const mentionMs = 10_000;
const clear = "\r\u001b[2K";

/** Tells a person what happens to devices, one line for each thing that does. */
export class Narrator {
  readonly #write: (text: string) => void;
  readonly #terminal: boolean;
  readonly #now: () => number;
  #mentionedAt = Number.NEGATIVE_INFINITY;
  #passing = false;

  /** On a terminal the line that shows how training goes is written over; elsewhere there is one every 10 s at most. */
  constructor(options: { write: (text: string) => void; terminal: boolean; now: () => number }) {
    this.#write = options.write;
    this.#terminal = options.terminal;
    this.#now = options.now;
  }

  /** `device` is the empty text where there is only one. */
  tell(event: ParticipantEvent, device: string): void {
    const text = lineFor(event);
    if (text === undefined) return;
    const line = device === "" ? text : `[${device}] ${text}`;
    if (event.type !== "training") this.say(line);
    else if (this.#terminal) this.#put(line, "");
    else if (this.#now() - this.#mentionedAt >= mentionMs) {
      this.#mentionedAt = this.#now();
      this.say(line);
    }
  }

  /** Writes a line that stays. */
  say(line: string): void {
    this.#put(line, "\n");
  }

  #put(line: string, end: string): void {
    this.#write(`${this.#passing ? clear : ""}${line}${end}`);
    this.#passing = end === "";
  }
}

function progressText(round: number, { epoch, epochs, batch, batches, loss }: TrainingProgress, pace?: Pace): string {
  const place = `round ${round}: epoch ${epoch} of ${epochs}, batch ${batch} of ${batches}, loss ${loss.toFixed(3)}`;
  if (pace === undefined) return place;
  return `${place}, ${rateText(pace.examplesPerSecond)} examples/s, ${durationText(pace.remainingMs)} left`;
}

/** To three digits. */
export const rateText = (rate: number) => (rate < 100 ? rate.toPrecision(3) : `${Math.round(rate)}`);

/** 3725000 as `1 h 2 min`. */
function durationText(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function takingPart({ name, run, secureAggregation }: RunPlan): string {
  const secure = secureAggregation === "required";
  return `taking part in ${name} (${run})${secure ? "" : `, which is NOT SECURE: the coordinator sees this device's update`}`;
}

function lineFor(event: ParticipantEvent): string | undefined {
  switch (event.type) {
    case "waiting":
      return `waiting: ${event.reason}`;
    case "connected":
      return `connected as ${event.client}`;
    case "disconnected":
      return `connection lost: ${event.reason}`;
    case "offered":
      return event.runs.length === 0 ? "no run fits yet; waiting for one" : event.runs.map(takingPart).join("; ");
    case "asked":
      return event.hint.step > 0 ? undefined : `round ${event.hint.round}: asked to ${event.hint.kind}`;
    case "trained":
      return `round ${event.hint.round}: done in ${((event.endedAt - event.startedAt) / 1000).toFixed(1)} s`;
    case "reused":
      return `round ${event.hint.round}: the same model again; sending the update that was computed before`;
    case "secured":
      return `round ${event.hint.round}: a secure sum of ${event.minimumSurvivors} to ${event.clients} devices${
        event.small ? "; a small cohort: the others together could work this device's part out" : ""
      }`;
    case "suspected":
      return `round ${event.hint.round}: ${event.members.length} devices sent shares or tags that are ${event.what}`;
    case "sent":
      if (event.protection === "none") return `round ${event.hint.round}: ${event.bytes} bytes sent, in the clear`;
      if (event.protection === "masked") return `round ${event.hint.round}: ${event.bytes} bytes sent, masked`;
      return undefined;
    case "dropped":
      return `round ${event.hint.round}: went on without this device: ${event.reason}`;
    case "dismissed":
      return `round ${event.dismissal.round}: ${event.dismissal.reason}`;
    case "declined":
      return `not taking part: ${event.detail} [${event.code}]`;
    case "stoodDown":
      return `round ${event.round}: goes on without this device, which is paused`;
    case "withdrawn":
      return `run ${event.run} asks this device nothing while it is paused`;
    case "runEnded":
      return `run ${event.run} is ${event.phase}${event.reason === undefined ? "" : `: ${event.reason}`}`;
    case "ignored":
      return `ignored ${event.what}: ${event.detail}`;
    case "notice":
      return event.text;
    case "failed":
      return `failed: ${event.error.message}`;
    case "left":
      return "left";
    case "training":
      return event.progress === undefined ? undefined : progressText(event.hint.round, event.progress, event.pace);
    case "due":
    case "enrolled":
    case "phase":
      return undefined;
  }
}

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import {
  type Contribution,
  type Dataset,
  type Judgement,
  lanesLength,
  type Random,
  type ServerState,
  seededRandom,
  type Trainer,
} from "@tributary/algorithm";
import { algorithmNamed } from "@tributary/catalog";
import {
  type ClientId,
  elementOf,
  firstNonFinite,
  frameBytes,
  type Metrics,
  ProtocolError,
  type RunId,
  type RunSpec,
} from "@tributary/protocol";
import { type Attempt, advance, Fold, newRun, planOf, type RunEvent, type RunState } from "@tributary/round";
import { Timeline } from "./timeline.ts";

export interface SimulationOptions {
  readonly spec: RunSpec;
  /** One device a dataset; device i is called `client-…i`. */
  readonly devices: readonly Dataset[];
  readonly trainer: Trainer;
  /** Version 0 of the model; the simulation owns it from now on. */
  readonly initialModel: Float32Array;
  /** Judges each model where the spec says `evaluation.on: "coordinator"`. */
  readonly evaluationData?: Dataset;
  /** The chance that a device asked in a step leaves in the middle of it. */
  readonly dropRate?: number;
  /** Virtual milliseconds a device needs for a question; default 1 ms an example. */
  readonly workMs?: (device: number, data: Dataset, random: Random) => number;
  readonly onRound?: (round: SimulatedRound) => void;
  readonly signal?: AbortSignal;
}

/** One committed round. Bytes are what the frames and vectors would weigh on the wire, over the whole cohort. */
export interface SimulatedRound {
  readonly round: number;
  readonly attempt: number;
  readonly cohort: readonly ClientId[];
  readonly survivors: readonly ClientId[];
  readonly metrics: Metrics;
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** Virtual time of the commit, milliseconds since the run began. */
  readonly atMs: number;
}

export interface SimulationResult {
  readonly rounds: number;
  readonly outcome: "finished" | "stopped" | "failed";
  readonly reason: string;
  readonly metrics: Metrics;
  readonly model: Float32Array;
  readonly modelSha256: string;
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly virtualMs: number;
}

type Happening =
  | { readonly type: "tick" }
  | { readonly type: "answer" | "leave"; readonly attempt: Attempt; readonly step: number; readonly device: number };

const run = "run-simulated" as RunId;

/**
 * Runs a whole federation in this process: the coordinator's run machine and the algorithm's two halves, with virtual
 * time in place of sockets. Every random choice comes from the spec's seed, so equal arguments give equal models, bit for
 * bit. Answers are folded as they come in; memory is that of a few models.
 */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const { spec, devices, trainer, initialModel, evaluationData, dropRate = 0, onRound } = options;
  const { signal = new AbortController().signal, workMs = (_device, data) => data.examples } = options;
  if (spec.evaluation.on === "coordinator" && evaluationData === undefined) {
    throw new ProtocolError("bad_spec", 'evaluation.on is "coordinator", and there is no evaluation data');
  }
  const algorithm = algorithmNamed(spec.algorithm.name);
  const plan = planOf(spec);
  const names = devices.map((_, i) => `client-${String(i).padStart(8, "0")}` as ClientId);
  const numbers = new Map(names.map((name, i) => [name, i]));
  const kept = new Map<ClientId, unknown>();
  const timeline = new Timeline<Happening>();
  let now = 0;
  let state: RunState = newRun;
  let server: ServerState = algorithm.server.init(spec, initialModel);
  let fold: { attempt: Attempt; sum: Fold; next: Map<ClientId, unknown> } | undefined;
  let traffic = { up: 0, down: 0 };
  let judged: Metrics = {};
  let pending: SimulatedRound | undefined;
  let totals = { up: 0, down: 0 };
  const todo: RunEvent[] = [{ type: "start" }];

  for (;;) {
    const event = todo.shift();
    if (event !== undefined) {
      const transition = advance(plan, state, event, { now, present: names });
      state = transition.state;
      for (const effect of transition.effects) await perform(effect);
      continue;
    }
    if (state.phase === "finished" || state.phase === "stopped" || state.phase === "failed") break;
    const happening = timeline.take();
    if (happening === undefined) throw new Error(`the simulation has nothing left to do while ${state.phase}`);
    now = Math.max(now, happening.at);
    await happen(happening.what);
  }
  if (pending !== undefined) onRound?.(pending);
  const { model } = server;
  return {
    rounds: state.progress.round,
    outcome: state.phase,
    reason: state.reason,
    metrics: state.progress.latest,
    model,
    modelSha256: bytesToHex(sha256(new Uint8Array(model.buffer, model.byteOffset, model.byteLength))),
    bytesUp: totals.up,
    bytesDown: totals.down,
    virtualMs: now,
  };

  async function perform(effect: ReturnType<typeof advance>["effects"][number]): Promise<void> {
    switch (effect.type) {
      case "ask": {
        const { attempt, step, clients } = effect;
        const lanes = attempt.kind === "train" ? algorithm.lanes(spec, server.model.length) : algorithm.evaluationLanes;
        fold = { attempt, sum: new Fold(lanes), next: new Map() };
        traffic = { up: 0, down: 0 };
        for (const client of clients) {
          const device = numbers.get(client)!;
          const random = deviceRandom(device, attempt, "life");
          const type = random.uniform() < dropRate ? "leave" : "answer";
          timeline.put(now + workMs(device, devices[device]!, random), { type, attempt, step, device });
        }
        return;
      }
      case "aggregate": {
        const total = fold!.sum.total();
        if (effect.attempt.kind === "evaluate") {
          judged = algorithm.server.judge(total);
          publish(judged);
          todo.push({ type: "aggregated", metrics: judged });
          return;
        }
        const stepped = algorithm.server.step(server, total, spec);
        server = stepped.state;
        for (const [client, next] of fold!.next) kept.set(client, next);
        if (pending !== undefined) onRound?.(pending);
        pending = {
          round: effect.attempt.round,
          attempt: effect.attempt.attempt,
          cohort: effect.attempt.cohort,
          survivors: effect.survivors,
          metrics: stepped.metrics,
          bytesUp: traffic.up,
          bytesDown: traffic.down,
          atMs: now,
        };
        todo.push({ type: "aggregated", metrics: stepped.metrics });
        return;
      }
      case "evaluate": {
        const judgement = await trainer.evaluate({ weights: server.model, data: evaluationData!, signal });
        judged = metricsOf(judgement);
        publish(judged);
        todo.push({ type: "evaluated", metrics: judged });
        return;
      }
      case "wake":
        timeline.put(effect.at, { type: "tick" });
        return;
      case "dismiss":
      case "abandon":
      case "ended":
        return;
    }
  }

  /** The newest round becomes known once its model is judged, or when the next round is committed. */
  function publish(metrics: Metrics): void {
    if (pending === undefined) return;
    onRound?.({ ...pending, metrics: { ...pending.metrics, ...metrics } });
    pending = undefined;
  }

  async function happen(what: Happening): Promise<void> {
    if (what.type === "tick") {
      todo.push({ type: "tick" });
      return;
    }
    const { attempt, step, device } = what;
    const client = names[device]!;
    const address = { run, round: attempt.round, attempt: attempt.attempt, step };
    if (what.type === "leave") {
      if (isOpen(attempt, step)) todo.push({ type: "departed", client, reason: "the device left" });
      return;
    }
    // A straggler's work is not done at all once nobody waits for it.
    if (!isOpen(attempt, step)) return;
    try {
      const contribution = await contribute(attempt, device, client);
      fold!.sum.add(contribution);
      todo.push({ type: "answered", client, address });
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      todo.push({ type: "declined", client, address, reason: `${error.code}: ${error.message}` });
    }
  }

  async function contribute(attempt: Attempt, device: number, client: ClientId): Promise<Contribution> {
    const question = algorithm.server.ask(server, spec);
    const data = devices[device]!;
    const random = deviceRandom(device, attempt, "work");
    const shared = { question, data, trainer, signal };
    let contribution: Contribution;
    if (attempt.kind === "evaluate") contribution = await algorithm.client.evaluate(shared);
    else {
      const worked = await algorithm.client.work({ ...shared, kept: kept.get(client), random });
      contribution = worked.contribution;
      fold!.next.set(client, worked.next);
    }
    checkContribution(contribution, attempt);
    const down = Object.values(question.vectors).reduce((sum, vector) => sum + vector.byteLength, 0);
    const up = frameBytes(elementOf(contribution.values), contribution.values.length);
    traffic = { up: traffic.up + up, down: traffic.down + down };
    totals = { up: totals.up + up, down: totals.down + down };
    return contribution;
  }

  function checkContribution({ values }: Contribution, attempt: Attempt): void {
    const lanes = attempt.kind === "train" ? algorithm.lanes(spec, server.model.length) : algorithm.evaluationLanes;
    if (values.length !== lanesLength(lanes)) {
      throw new ProtocolError("bad_update", `expected ${lanesLength(lanes)} values, found ${values.length}`);
    }
    const at = firstNonFinite(values);
    if (at !== -1) throw new ProtocolError("training_diverged", `value ${at} of the update is ${values[at]}`);
  }

  function isOpen(attempt: Attempt, step: number): boolean {
    return (
      state.phase === "collecting" &&
      state.attempt.round === attempt.round &&
      state.attempt.attempt === attempt.attempt &&
      state.step === step
    );
  }

  function deviceRandom(device: number, { kind, round, attempt }: Attempt, purpose: string): Random {
    return seededRandom(spec.seed, `device/${device}/${kind}/${round}/${attempt}/${purpose}`);
  }
}

function metricsOf({ examples, lossSum, correct }: Judgement): Metrics {
  return { loss: lossSum / examples, accuracy: correct / examples, examples };
}

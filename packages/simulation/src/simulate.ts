import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import {
  type Contribution,
  type Dataset,
  type KeptState,
  type Lane,
  lanesLength,
  metricsOf,
  noTrainer,
  type Random,
  type ServerState,
  seededRandom,
  type Total,
  type Trainer,
} from "@tributary/algorithm";
import { algorithmNamed } from "@tributary/catalog";
import {
  type ClientId,
  elementOf,
  firstNonFinite,
  type Metrics,
  ProtocolError,
  type RunId,
  type RunSpec,
  type Sha256,
} from "@tributary/protocol";
import {
  type Attempt,
  advance,
  contributorsTo,
  Fold,
  newRun,
  planOf,
  type RunEvent,
  type RunState,
} from "@tributary/round";
import { loadKernel, portableCrypto, type SessionPurpose, taskHashOf } from "@tributary/secure-agg";
import { type SecureSimulation, SecureSum } from "./secure-sum.ts";
import { PlainSum, type SimulatedSum } from "./sum.ts";
import { Timeline } from "./timeline.ts";

export interface SimulationOptions {
  readonly spec: RunSpec;
  /** One device a dataset; device i is called `client-…i`. */
  readonly devices: readonly Dataset[];
  /** Default: none, for algorithms that train no layers. */
  readonly trainer?: Trainer;
  /** Version 0 of the model; the simulation owns it from now on. Default: none, as for `trainer`. */
  readonly initialModel?: Float32Array;
  /** Judges each model where the spec says `evaluation.on: "coordinator"`. */
  readonly evaluationData?: Dataset;
  /** The chance that a device asked in a step leaves in the middle of it. */
  readonly dropRate?: number;
  /** Virtual milliseconds a device needs for a question; default 1 ms an example. */
  readonly workMs?: (device: number, data: Dataset, random: Random) => number;
  /** Passes over the data that a device can make in a round; undefined is as many as it is asked for. */
  readonly epochsAtMost?: (device: number, random: Random) => number | undefined;
  /** The cryptography of secure runs, on a given source of random bytes; default: portable, and slow. */
  readonly crypto?: SecureSimulation["crypto"];
  readonly onSum?: SecureSimulation["onSum"];
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
  readonly model: Float32Array | Float64Array;
  readonly modelSha256: string;
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly virtualMs: number;
}

type Happening =
  | { readonly type: "tick" }
  | { readonly type: "answer" | "leave"; readonly attempt: Attempt; readonly step: number; readonly device: number };

const run = "run-simulated" as RunId;
/** The secure step that waits for training. */
const maskedStep = 2;

/**
 * Runs a whole federation in this process: the coordinator's run machine and the algorithm's two halves, with virtual
 * time in place of sockets. Every random choice comes from the spec's seed, so equal arguments give equal models, bit for
 * bit. Answers are folded as they come in; memory is that of a few models.
 */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const { spec, devices, trainer = noTrainer, initialModel = new Float32Array(0), dropRate = 0, onRound } = options;
  const { evaluationData } = options;
  const { signal = new AbortController().signal, workMs = (_device, data) => data.examples } = options;
  if (spec.evaluation.on === "coordinator" && evaluationData === undefined) {
    throw new ProtocolError("bad_spec", 'evaluation.on is "coordinator", and there is no evaluation data');
  }
  const algorithm = algorithmNamed(spec.algorithm.name);
  const plan = planOf(spec);
  const names = devices.map((_, i) => `client-${String(i).padStart(8, "0")}` as ClientId);
  const numbers = new Map(names.map((name, i) => [name, i]));
  const kept = new Map<ClientId, KeptState>();
  const timeline = new Timeline<Happening>();
  let now = 0;
  let state: RunState = newRun;
  let server: ServerState = algorithm.server.init(spec, initialModel);
  let sum: SimulatedSum | undefined;
  let next = new Map<ClientId, KeptState>();
  const secure = await secureSimulation(options);
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
      closeWhenEnough();
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
    modelSha256: hashOf(model),
    bytesUp: totals.up,
    bytesDown: totals.down,
    virtualMs: now,
  };

  async function perform(effect: ReturnType<typeof advance>["effects"][number]): Promise<void> {
    switch (effect.type) {
      case "ask": {
        const { attempt, step, clients } = effect;
        try {
          if (step === 0) begin(attempt);
          const asked = new Set(await sum!.openStep(step));
          for (const client of clients) {
            if (asked.has(client)) schedule(attempt, step, client);
            else todo.push({ type: "departed", client, reason: "too few of its neighbours are left" });
          }
        } catch (error) {
          if (!(error instanceof ProtocolError)) throw error;
          todo.push({ type: "void", reason: error.message });
        }
        return;
      }
      case "aggregate": {
        const total = await sum!.total();
        if (effect.attempt.kind === "evaluate") {
          judged = algorithm.server.judge(total, spec);
          publish(judged);
          todo.push({ type: "aggregated", metrics: judged });
          return;
        }
        const stepped = stepOf(total);
        if (stepped === undefined) return;
        server = stepped.state;
        for (const client of contributorsTo({ ...effect.attempt, survivors: effect.survivors })) {
          const state = next.get(client);
          if (state !== undefined) kept.set(client, state);
        }
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
        judged = await judge(evaluationData!);
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

  /** The state after a round; a total that no state can come of ends the run with the reason. */
  function stepOf(total: Total): ReturnType<typeof algorithm.server.step> | undefined {
    try {
      return algorithm.server.step(server, total, spec);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      todo.push({ type: "broken", reason: `combining the answers failed: ${error.message}` });
      return undefined;
    }
  }

  async function judge(data: Dataset): Promise<Metrics> {
    if (algorithm.ownModel) {
      const fold = new Fold(algorithm.evaluationLanes(spec));
      const question = algorithm.server.ask(server, spec);
      fold.add(await algorithm.client.evaluate({ question, data, trainer, signal }));
      return algorithm.server.judge(fold.total(), spec);
    }
    const judgement = await trainer.evaluate({ weights: server.model as Float32Array, data, signal });
    return metricsOf(judgement, spec.data.target);
  }

  /** An irrevocable step closes when everyone who is still there has answered, if that is enough. */
  function closeWhenEnough(): void {
    if (state.phase !== "collecting" || plan.steps[state.attempt.kind][state.step]?.irrevocable !== true) return;
    const { round, attempt } = state.attempt;
    if (state.answered.length + state.lost.length < state.asked.length || todo.length > 0 || !sum!.isEnough()) return;
    todo.push({ type: "enough", address: { run, round, attempt, step: state.step } });
  }

  function begin(attempt: Attempt): void {
    const lanes = lanesOf(attempt);
    sum =
      secure === undefined ? new PlainSum(attempt, lanes) : new SecureSum(secure, attempt, purposeOf(attempt, lanes));
    next = new Map();
    traffic = { up: 0, down: 0 };
  }

  function lanesOf({ kind }: Attempt): readonly Lane[] {
    return kind === "train" ? algorithm.lanes(spec, server.model.length, server) : algorithm.evaluationLanes(spec);
  }

  function purposeOf({ kind, round, attempt }: Attempt, lanes: readonly Lane[]): SessionPurpose {
    const { modelVersion } = state.progress;
    const { settings, vectors } = algorithm.server.ask(server, spec);
    const references = Object.entries(vectors).map(([name, values]) => {
      const { byteLength: bytes, length } = values;
      return [name, { sha256: hashOf(values), bytes, element: elementOf(values), length }] as const;
    });
    const taskHash = taskHashOf({ ...spec, settings, vectors: Object.fromEntries(references) });
    return { run, round, attempt, kind, modelVersion, modelHash: hashOf(server.model), taskHash, lanes };
  }

  function schedule(attempt: Attempt, step: number, client: ClientId): void {
    const device = numbers.get(client)!;
    const random = deviceRandom(device, attempt, `life/${step}`);
    const type = random.uniform() < dropRate ? "leave" : "answer";
    const works = secure === undefined || step === maskedStep;
    timeline.put(now + (works ? workMs(device, devices[device]!, random) : 1), { type, attempt, step, device });
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
      const up = await sum!.answer(step, client, () => contribute(attempt, device, client));
      traffic = { ...traffic, up: traffic.up + up };
      totals = { ...totals, up: totals.up + up };
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
      const epochsAtMost = options.epochsAtMost?.(device, deviceRandom(device, attempt, "effort"));
      const own = { kept: kept.get(client), lost: false, epochsAtMost };
      const worked = await algorithm.client.work({ ...shared, ...own, random });
      contribution = worked.contribution;
      if (worked.next !== undefined) next.set(client, worked.next);
    }
    checkContribution(contribution, attempt);
    const down = Object.values(question.vectors).reduce((bytes, vector) => bytes + vector.byteLength, 0);
    traffic = { ...traffic, down: traffic.down + down };
    totals = { ...totals, down: totals.down + down };
    return contribution;
  }

  function checkContribution({ values }: Contribution, attempt: Attempt): void {
    const lanes = lanesOf(attempt);
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

/** SHA-256 of a vector's bytes, hexadecimal. */
function hashOf(vector: Float32Array | Float64Array): Sha256 {
  return bytesToHex(sha256(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength))) as Sha256;
}

async function secureSimulation({ spec, crypto, onSum }: SimulationOptions): Promise<SecureSimulation | undefined> {
  if (spec.secureAggregation === "none") return undefined;
  return { spec, kernel: await loadKernel(), crypto: crypto ?? portableCrypto, onSum };
}

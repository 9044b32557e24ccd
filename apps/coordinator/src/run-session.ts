import { type Algorithm, lanesLength, type ServerState } from "@tributary/algorithm";
import {
  type Accepted,
  type ClientId,
  type Decline,
  type Hint,
  type Metrics,
  type ModelRecord,
  modelOf,
  ownerPaused,
  type ProgressReport,
  ProtocolError,
  type RoundTimeline,
  type RunId,
  type RunPlan as RunPlanMessage,
  type RunProblem,
  type RunRecord,
  type RunSpec,
  type RunTotals,
  type Sha256,
  type StepAddress,
  type StepQuestion,
  type UnnumberedEvent,
} from "@tributary/protocol";
import {
  type Attempt,
  advance,
  explain,
  planOf,
  type RunEffect,
  type RunEvent,
  type RunPlan,
  type RunState,
  refusalOf,
  restoreRun,
  type SavedRun,
  type Transition,
  type World,
} from "@tributary/round";
import type { FastifyBaseLogger } from "fastify";
import { type Collection, type OpenedStep, PlainCollection } from "./collection.ts";
import type { Devices } from "./devices.ts";
import { type Inclusions, include, loadInclusions } from "./inclusions.ts";
import type { Models } from "./models.ts";
import { lanesOf, publish, vectorBytes } from "./question.ts";
import { checkRollback, restored } from "./rollback.ts";
import { checkpointBytes, recordsOf } from "./round-commit.ts";
import { evaluationEvents, eventsOf, phaseEvent, roundEvents } from "./run-events.ts";
import { noTotals, withJudgement, withRound } from "./run-totals.ts";
import { SecureCollection, type StoredSessions } from "./secure/secure-collection.ts";
import type { Unmasker } from "./secure/unmasker.ts";
import { loadServerState } from "./server-state.ts";
import type { Blobs } from "./store/blobs.ts";
import type { Spool } from "./store/spool.ts";
import type { Store } from "./store/store.ts";
import { Timeline } from "./timeline.ts";
import type { Upload } from "./upload.ts";
import { WorkLine } from "./work-line.ts";

/** What a session needs of the coordinator around it. */
export interface SessionPorts {
  readonly store: Store;
  readonly blobs: Blobs;
  readonly spool: Spool;
  readonly devices: Devices;
  readonly models: Models;
  readonly unmasker: Unmasker;
  /** The Ed25519 key that a client enrolled with. */
  readonly identityKey: (client: ClientId) => Promise<Uint8Array>;
  /** Tells watchers of something that no commit of its own makes durable. */
  readonly note: (event: UnnumberedEvent) => void;
  /** Remembers a run's latest problem as `note` does events. */
  readonly noteProblem: (run: RunId, problem: RunProblem) => void;
  /** Milliseconds since the epoch that never go back. */
  readonly now: () => number;
  readonly log: FastifyBaseLogger;
}

/** How long a step that has enough shares waits for more. */
const graceMs = 1_000;

/** Sockets carry small messages: a question longer than this is fetched over HTTP. */
const mostToldCharacters = 32_768;

/** Refusals that an operator should hear of: the device is broken, or not what it seems. */
const refusedAnswers: ReadonlySet<string> = new Set(["bad_update", "bad_digest", "conflicting_update"]);

/** An attempt whose survivors are fixed, as a restart finds it. */
export interface StoredAttempt {
  readonly attempt: Attempt;
  readonly step: number;
  readonly asked: readonly ClientId[];
  readonly stored: StoredSessions;
}

/**
 * The only place where a run's machine (packages/round) meets clock, sockets and store. Events go in one at a time; each
 * transition's effects are carried out in order. What is committed is durable before anyone is told of it.
 */
export class RunSession {
  readonly run: RunId;
  readonly spec: RunSpec;
  readonly #algorithm: Algorithm;
  readonly #plan: RunPlan;
  readonly #ports: SessionPorts;
  readonly #log: FastifyBaseLogger;
  readonly #timeline: Timeline;
  readonly #published = new WeakMap<object, Sha256>();
  /** Who is in which sum, where devices keep something that depends on it. */
  #inclusions: Inclusions;
  #record: RunRecord;
  #state: RunState;
  #server: ServerState;
  #open: Collection | undefined;
  #closed: Collection | undefined;
  #timer: NodeJS.Timeout | undefined;
  #graceTimer: NodeJS.Timeout | undefined;
  #problem: RunProblem | undefined;
  #stopped = false;
  #rollingBack = false;
  /** The phase that watchers know of. */
  #toldPhase: RunState["phase"];
  /** Work under way: asking, summing, committing. */
  readonly #work = new WorkLine({
    onWaiting: (why) => {
      this.#trouble(why);
      this.#log.warn({ code: "storage_full" }, why);
    },
    // A fault of ours ends the run with its reason, not the process.
    onFault: (what, error) => {
      this.#log.error({ err: error }, `${what} failed`);
      this.#handle({ type: "broken", reason: `${what} failed: ${(error as Error).message}` });
    },
  });
  /** Called after every change that a watcher could see. */
  onChange: () => void = () => {};

  constructor(
    run: { record: RunRecord; spec: RunSpec; algorithm: Algorithm; server: ServerState; inclusions: Inclusions },
    state: RunState,
    ports: SessionPorts,
  ) {
    this.run = run.record.run;
    this.spec = run.spec;
    const { problem, ...record } = run.record;
    this.#record = record;
    this.#problem = problem;
    this.#algorithm = run.algorithm;
    this.#server = run.server;
    this.#inclusions = run.inclusions;
    this.#toldPhase = run.record.phase;
    this.#plan = planOf(run.spec);
    this.#timeline = new Timeline(this.#plan);
    this.#state = state;
    this.#ports = ports;
    this.#log = ports.log.child({ run: this.run });
  }

  /**
   * Goes on after a restart: everything committed stands, and whatever attempt was open is void, unless its survivors
   * were fixed already.
   */
  restore(saved: SavedRun & { readonly unfinished?: StoredAttempt }): void {
    if (saved.unfinished !== undefined) {
      const { attempt, stored } = saved.unfinished;
      const { asked, lanes } = this.#ask(attempt, saved.progress.modelVersion);
      this.#open = SecureCollection.resume(attempt, { asked, lanes, stored }, this.#ports);
    }
    this.#take(restoreRun(this.#plan, saved, this.#world()));
  }

  get phase(): RunState["phase"] {
    return this.#state.phase;
  }

  /** What REST shows of this run now. */
  get record(): RunRecord {
    const { progress, phase } = this.#state;
    const reason = explain(this.#plan, this.#state, this.#world()) ?? this.#problem?.text;
    const { round, modelVersion, latest } = progress;
    return {
      ...this.#record,
      ...{ phase, round, modelVersion, metrics: latest },
      ...(reason === undefined ? {} : { reason }),
      ...(this.#problem === undefined ? {} : { problem: this.#problem }),
    };
  }

  get #totals(): RunTotals {
    return this.#record.totals ?? noTotals;
  }

  /** What a device needs to know to decide whether it can take part. */
  get plan(): RunPlanMessage {
    const { name, algorithm, model, data, secureAggregation, stop, cohort } = this.spec;
    const { phase, progress } = this.#state;
    const shared = { name, data, secureAggregation, rounds: stop.rounds, tags: cohort.tags };
    const layers = model === undefined ? {} : { model };
    return { run: this.run, phase, round: progress.round, algorithm: { name: algorithm.name }, ...layers, ...shared };
  }

  /** The question waiting for this client, if there is one that it has not answered. */
  hintFor(client: ClientId): Hint | undefined {
    const state = this.#state;
    if (state.phase !== "collecting" || !state.asked.includes(client) || state.answered.includes(client))
      return undefined;
    return hintOf(this.run, state.attempt, state.step);
  }

  /** An operator's command. Resolves when its effect on the run is durable. Throws `wrong_state` if it has none. */
  async command(command: "start" | "pause" | "resume" | "stop"): Promise<RunRecord> {
    const before = this.#state;
    if (this.#rollingBack) throw new ProtocolError("wrong_state", "The run is being rolled back; try again.");
    this.#handle({ type: command });
    if (this.#state === before) {
      throw new ProtocolError("wrong_state", `A run that is ${before.phase} cannot ${command}.`);
    }
    if (command === "start") this.#record = { ...this.#record, startedAt: this.#ports.now() };
    this.#work.add("saving the run's state", () => this.#save());
    await this.#work.done;
    return this.record;
  }

  /**
   * Serves an earlier version again: its model and the server's state after it, under the next version number. Nothing
   * is deleted. Throws `wrong_state` while the run is at work, `not_found` for an unknown version.
   */
  async rollBack(version: number): Promise<ModelRecord> {
    const { store, blobs, now } = this.#ports;
    checkRollback(this.record, version);
    if (this.#rollingBack) throw new ProtocolError("wrong_state", "The run is being rolled back already.");
    this.#rollingBack = true;
    try {
      await this.#work.done;
      const [old, checkpoint] = [await store.model(this.run, version), await store.checkpoint(this.run, version)];
      if (old === undefined || checkpoint === undefined) {
        throw new ProtocolError("not_found", `The run has no model version ${version}.`);
      }
      const server = await loadServerState(blobs, { sha256: old.sha256, checkpoint });
      const at = Math.round(now());
      const { model, progress } = restored(old, this.#state.progress, at);
      const state = { ...this.#state, progress };
      const event = { type: "rollback", at, run: this.run, version: model.version, restoredFrom: version } as const;
      await store.rollBack({ model, checkpoint, state: { ...this.#stored(state), events: [event] } });
      this.#state = state;
      this.#server = server;
      if (this.#algorithm.client.keeps) this.#inclusions = await loadInclusions(store, this.run);
      this.#log.info({ version: model.version, restoredFrom: version }, "rolled back");
      this.onChange();
      return model;
    } finally {
      this.#rollingBack = false;
    }
  }

  /** The set of devices present has changed. */
  present(): void {
    if (this.#state.phase === "gathering") this.#handle({ type: "present" });
  }

  departed(client: ClientId, reason: string): void {
    this.#handle({ type: "departed", client, reason });
  }

  declined(client: ClientId, decline: Decline): void {
    this.#log.info({ client, ...addressOf(decline), code: decline.code }, "client declined");
    if (decline.code !== ownerPaused) this.#trouble(`client ${client} declined: ${decline.detail}`);
    const { round, attempt, code, detail } = decline;
    const place = { at: Math.round(this.#ports.now()), run: this.run, client, round, attempt };
    this.#ports.note({ type: "decline", ...place, reason: `${code}: ${detail}` });
    this.#handle({ type: "declined", client, address: decline, reason: `${decline.code}: ${decline.detail}` });
  }

  progress(client: ClientId, report: ProgressReport): void {
    this.#log.debug({ client, ...addressOf(report), state: report.state, done: report.done }, "progress");
  }

  /** The question at an address, for one client. Throws why there is none. */
  async question(address: StepAddress, client: ClientId): Promise<StepQuestion> {
    this.#check(address, client);
    // A secure step's messages exist once the step before it is closed, which is work of its own.
    if (this.spec.secureAggregation === "required") await this.#work.done;
    const question = await this.#questionFor(this.#open!, address.step, client);
    this.#check(address, client);
    this.#timeline.fetched(client, this.#ports.now());
    return question;
  }

  async #questionFor(open: Collection, step: number, client: ClientId): Promise<StepQuestion> {
    const [asked, message] = [await open.asked, await open.message(client)];
    const closesAt = this.#state.phase === "collecting" ? this.#state.deadline : 0;
    const remainingMs = Math.max(0, Math.round(closesAt - this.#ports.now()));
    const included = asked.kind === "train" ? this.#inclusions.get(client) : undefined;
    const own = included === undefined ? {} : { included };
    if (message === undefined) return { ...asked, ...own, remainingMs };
    const content = step === 0 ? own : { settings: {}, vectors: {} };
    return { ...asked, ...content, step, message: Buffer.from(message).toString("base64"), remainingMs };
  }

  /** Tells a client of its question, with the question itself where a socket may carry it. */
  async #tell(open: Collection, step: number, client: ClientId): Promise<void> {
    const link = this.#ports.devices.link(client);
    if (link === undefined || this.#open !== open) return;
    const question = await this.#questionFor(open, step, client);
    if (this.#open !== open) return;
    const small = (question.message?.length ?? 0) + JSON.stringify(question.settings).length <= mostToldCharacters;
    if (small) this.#timeline.fetched(client, this.#ports.now());
    link.ask({ ...hintOf(this.run, open.attempt, step), ...(small ? { question } : {}) });
  }

  /** Attempts at a round, the open one among them: the newest `limit` of those before attempt `before`, if that is given. */
  async timeline(round: number, page: { readonly before?: number; readonly limit: number }): Promise<RoundTimeline> {
    const { run } = this;
    const { known, attempts } = await this.#ports.store.timelines(run, round, page);
    const open = this.#timeline.open(round, this.#ports.now());
    if (open === undefined) return { run, round, known, attempts: [...attempts] };
    const isWanted = page.before === undefined || open.attempt < page.before;
    const wanted = isWanted ? [...attempts, open].slice(-page.limit) : [...attempts];
    return { run, round, known: known + 1, attempts: wanted };
  }

  /** A vector of the open question was sent to `client`. */
  noteDownload(client: ClientId, bytes: number): void {
    if (this.#open?.attempt.cohort.includes(client)) this.#open.bytesDown += bytes;
  }

  /** Takes in one answer: verified, on disk and counted once when this resolves. A repeat changes nothing. */
  async receive(address: StepAddress, client: ClientId, upload: Upload): Promise<Accepted> {
    const known = [this.#open, this.#closed].find((collection) => collection?.isAt(address));
    if (known?.hasAccepted(address.step, client, upload.digest)) return { accepted: true, duplicate: true };
    this.#check(address, client);
    const answer = await this.#open!.receive(address.step, client, upload, () => this.#check(address, client)).catch(
      (error: unknown) => {
        if (error instanceof ProtocolError && refusedAnswers.has(error.code)) {
          this.#trouble(`an answer of client ${client} was refused: ${error.message}`);
        }
        throw error;
      },
    );
    if (!answer.duplicate) {
      this.#log.debug({ client, ...address, bytes: upload.bytes }, "answer accepted");
      this.#handle({ type: "answered", client, address });
      this.#open?.foldAhead();
      if (this.#isIrrevocable(address)) await this.#closeWhenEnough(address);
    }
    return answer;
  }

  /** Lets the work under way finish and starts nothing new. */
  async close(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#graceTimer);
    await this.#work.close();
  }

  #trouble(text: string): void {
    this.#problem = { at: Math.round(this.#ports.now()), text };
    this.#ports.noteProblem(this.run, this.#problem);
  }

  #isIrrevocable({ step }: StepAddress): boolean {
    const { kind } = this.#open?.attempt ?? {};
    return kind !== undefined && this.#plan.steps[kind][step]?.irrevocable === true;
  }

  /**
   * Closes an irrevocable step: at once when everyone has answered, else a second after there is enough, since more
   * shares than needed let wrong ones be found out.
   */
  async #closeWhenEnough(address: StepAddress): Promise<void> {
    if (!(await this.#open?.isEnough())) return;
    const state = this.#state;
    if (state.phase !== "collecting") return;
    const close = () => this.#handle({ type: "enough", address });
    if (state.answered.length === state.asked.length) close();
    else this.#graceTimer ??= setTimeout(close, graceMs);
  }

  #check(address: StepAddress, client: ClientId): void {
    // An upload may have begun before its device was revoked.
    if (this.#ports.devices.isExpelled(client)) throw new ProtocolError("forbidden", "This device was revoked.");
    const refusal = refusalOf(this.#state, address, client);
    if (refusal === undefined && this.#open !== undefined) return;
    const { phase, progress } = this.#state;
    const where = `round ${address.round}, attempt ${address.attempt}, step ${address.step}`;
    throw new ProtocolError(
      refusal ?? "phase_closed",
      `${where}: the run is ${phase} after round ${progress.round}.`,
      refusal === "too_early" ? { retryAfterMs: 500 } : {},
    );
  }

  #world(): World {
    const { run, spec } = this;
    const { now, devices } = this.#ports;
    return {
      now: now(),
      get present() {
        return devices.presentFor(run, spec.cohort.tags);
      },
    };
  }

  #handle(event: RunEvent): void {
    if (this.#stopped) return;
    this.#take(advance(this.#plan, this.#state, event, this.#world()));
  }

  #take(transition: Transition): void {
    const { state, effects } = transition;
    const before = this.#state;
    this.#state = state;
    const at = this.#ports.now();
    for (const end of this.#timeline.observe(before, transition, at)) {
      this.#ports.store.noteAttempt({ run: this.run, ...end });
    }
    for (const event of eventsOf(this.run, this.#plan, { before, transition, at })) this.#ports.note(event);
    for (const event of this.#phaseChange(state)) this.#ports.note(event);
    this.#toldPhase = state.phase;
    for (const effect of effects) this.#perform(effect);
    if (state !== before) this.onChange();
  }

  #perform(effect: RunEffect): void {
    switch (effect.type) {
      case "ask":
        if (effect.step === 0) this.#begin(effect.attempt);
        else this.#openStep(effect.attempt, effect.step, effect.clients);
        return;
      case "dismiss": {
        const hint = hintOf(this.run, effect.attempt, effect.step);
        for (const client of effect.clients) {
          this.#ports.devices.link(client)?.dismiss({ ...addressOf(hint), reason: effect.reason });
        }
        return;
      }
      case "aggregate":
        this.#work.add("combining the answers", () =>
          this.#aggregate(this.#collectionOf(effect.attempt), effect.survivors),
        );
        return;
      case "abandon": {
        const { round, attempt } = effect.attempt;
        this.#log.warn({ round, attempt, kind: effect.attempt.kind, reason: effect.reason }, "attempt abandoned");
        this.#trouble(`round ${round}, attempt ${attempt} abandoned: ${effect.reason}`);
        this.#close(this.#collectionOf(effect.attempt));
        return;
      }
      case "evaluate":
        this.#work.add("evaluating the model", () => this.#evaluate(effect.round));
        return;
      case "wake": {
        clearTimeout(this.#timer);
        const delay = Math.max(0, Math.ceil(effect.at - this.#ports.now()));
        this.#timer = setTimeout(() => this.#handle({ type: "tick" }), delay);
        return;
      }
      case "ended":
        clearTimeout(this.#timer);
        this.#log.info({ outcome: effect.outcome, reason: effect.reason }, "run ended");
        this.#record = { ...this.#record, endedAt: this.#ports.now() };
        this.#problem = undefined;
        this.#work.add("saving the run's state", () => this.#save());
        return;
    }
  }

  /** The open collection of the attempt that an effect names; the attempt itself may have moved on by a step. */
  #collectionOf({ round, attempt, dropped }: Attempt): Collection {
    const open = this.#open;
    if (open?.attempt.round !== round || open.attempt.attempt !== attempt) throw new Error("the attempt is not open");
    open.attempt = { ...open.attempt, dropped };
    return open;
  }

  /** Makes the attempt durable, publishes its question, and only then tells the clients. */
  #begin(attempt: Attempt): void {
    const { asked, lanes, shape } = this.#ask(attempt, this.#state.progress.modelVersion);
    const { spool } = this.#ports;
    const open =
      this.spec.secureAggregation === "required"
        ? SecureCollection.open(this.spec, attempt, { asked, lanes }, this.#ports)
        : new PlainCollection(this.run, attempt, { asked, shape, lanes, spool });
    this.#open = open;
    this.#openStep(attempt, 0, attempt.cohort);
  }

  /** The attempt's first question, once the attempt is durable and its vectors can be fetched. */
  #ask(attempt: Attempt, modelVersion: number) {
    const { round, attempt: number, kind } = attempt;
    const question = this.#algorithm.server.ask(this.#server, this.spec);
    const lanes = lanesOf(this.#algorithm, this.spec, kind, this.#server);
    const shape = { element: this.#algorithm.element, length: lanesLength(lanes) };
    const address = { ...hintOf(this.run, attempt, 0), modelVersion, answer: shape };
    const asked = (async () => {
      const { store, blobs } = this.#ports;
      if ((await store.lastAttempt(this.run, round)) < number) await store.beginAttempt(this.run, round, number);
      return publish(question, address, blobs, this.#published);
    })();
    return { asked, lanes, shape };
  }

  /** Opens a step once the one before it is closed, and tells its clients. */
  #openStep(attempt: Attempt, step: number, clients: readonly ClientId[]): void {
    const open = this.#collectionOf(attempt);
    this.#work.add("opening a step", async () => {
      await open.asked;
      const opened = await this.#attemptStep(open, step);
      if (opened === undefined || this.#open !== open) return;
      if (opened.unfinished !== undefined) await this.#saveUnfinished(attempt, step, opened.asked, opened.unfinished);
      const asked = new Set(opened.asked);
      const { round, attempt: number, kind } = attempt;
      this.#log.info({ round, attempt: number, kind, step, clients: asked.size }, "clients asked");
      for (const client of clients) {
        if (asked.has(client)) await this.#tell(open, step, client);
        else this.#handle({ type: "departed", client, reason: "too few of its neighbours are left" });
      }
    });
  }

  /** Opens a step, or gives the attempt up for the reason that forbids it. */
  async #attemptStep(open: Collection, step: number): Promise<OpenedStep | undefined> {
    try {
      return await open.openStep(step);
    } catch (error) {
      if (!(error instanceof ProtocolError) || error.code === "storage_full") throw error;
      if (this.#open === open) this.#handle({ type: "void", reason: error.message });
      return undefined;
    }
  }

  /** From here on only this attempt with these survivors can be finished: durable before anyone is asked to reveal. */
  async #saveUnfinished(
    attempt: Attempt,
    step: number,
    asked: readonly ClientId[],
    stored: StoredSessions,
  ): Promise<void> {
    const state = this.#stored(this.#state);
    const unfinished: StoredAttempt = { attempt, step, asked, stored };
    await this.#ports.store.saveRunState(this.run, { ...state, progress: { ...state.progress, unfinished } });
  }

  /** The attempt's answers are not needed any more. */
  #close(collection: Collection): void {
    this.#closed = collection;
    // After a commit the next attempt is open already.
    if (this.#open === collection) this.#open = undefined;
    collection.discard().catch((error: unknown) => this.#log.error({ err: error }, "could not empty the spool"));
  }

  async #aggregate(collection: Collection, survivors: readonly ClientId[]): Promise<void> {
    const closedAt = this.#ports.now();
    const { kind, round } = collection.attempt;
    const { server } = this.#algorithm;
    const total = await collection.total(survivors);
    clearTimeout(this.#graceTimer);
    this.#graceTimer = undefined;
    for (const client of total.culprits ?? []) this.#log.warn({ client, round }, "revealed wrong shares");
    if (kind === "evaluate") {
      const metrics = server.judge(total, this.spec);
      await this.#saveEvaluation(collection, { type: "aggregated", metrics });
    } else {
      const stepped = server.step(this.#server, total, this.spec);
      await this.#commit({ collection, survivors, weight: total.weight, closedAt, ...stepped });
    }
    this.#close(collection);
  }

  /** Model, checkpoint, round record and run state: durable together, and only then known to anyone. */
  async #commit(round: {
    collection: Collection;
    survivors: readonly ClientId[];
    weight: number;
    closedAt: number;
    state: ServerState;
    metrics: Metrics;
  }): Promise<void> {
    const { store, blobs, now } = this.#ports;
    const { state: server, metrics, ...outcome } = round;
    const [sha256, checkpoint] = await Promise.all([
      blobs.put(vectorBytes(server.model)),
      blobs.put(checkpointBytes(server)),
    ]);
    this.#published.set(server.model, sha256);
    const version = this.#state.progress.modelVersion + 1;
    const { run } = this;
    const steps = this.#timeline.records;
    const records = recordsOf({ run, ...outcome, metrics, version, sha256, server, steps, committedAt: now() });
    // What the machine will say once it hears of the commit, so that both land in one transaction.
    const next = advance(this.#plan, this.#state, { type: "aggregated", metrics }, this.#world());
    const events = [...roundEvents(records.record), ...this.#phaseChange(next.state)];
    const totals = withRound(this.#totals, records.record);
    this.#problem = undefined;
    await store.commitRound({ ...records, checkpoint, state: { ...this.#stored(next.state), totals, events } });
    this.#record = { ...this.#record, totals };
    this.#toldPhase = next.state.phase;
    this.#server = server;
    if (this.#algorithm.client.keeps) include(this.#inclusions, records.record);
    const { round: number, attempt } = records.record;
    this.#log.info(
      { round: number, attempt, survivors: round.survivors.length, modelVersion: version },
      "round committed",
    );
    this.#handle({ type: "aggregated", metrics });
  }

  /** The coordinator's own judgement of the current model, on the set that the operator named. */
  async #evaluate(round: number): Promise<void> {
    const { evaluation } = this.spec;
    if (evaluation.on !== "coordinator") throw new Error("the run evaluates elsewhere");
    const openedAt = this.#ports.now();
    const metrics = await this.#judge(evaluation.data);
    await this.#saveEvaluation({ attempt: { round, openedAt } }, { type: "evaluated", metrics });
  }

  async #judge(set: string): Promise<Metrics> {
    const { models } = this.#ports;
    const { spec } = this;
    if (this.#algorithm.ownModel) {
      return models.judge({ spec, question: this.#algorithm.server.ask(this.#server, spec), set });
    }
    const weights = this.#server.model as Float32Array;
    return models.evaluate({ model: modelOf(spec), data: spec.data, weights, set });
  }

  /** Saves what came of a judgement, and what it moved where clients judged. */
  async #saveEvaluation(
    by: Collection | { readonly attempt: Pick<Attempt, "round" | "openedAt"> },
    event: Extract<RunEvent, { type: "aggregated" | "evaluated" }>,
  ): Promise<void> {
    const { round, openedAt } = by.attempt;
    const { metrics } = event;
    const judging = "bytesUp" in by ? { judging: { bytesUp: by.bytesUp, bytesDown: by.bytesDown } } : {};
    const next = advance(this.#plan, this.#state, event, this.#world());
    const { modelVersion } = this.#state.progress;
    const at = Math.round(this.#ports.now());
    const seconds = (this.#ports.now() - openedAt) / 1000;
    const judged = evaluationEvents({ run: this.run, round, modelVersion, at, metrics, seconds, ...judging });
    const totals = withJudgement(this.#totals, { seconds, ...judging });
    this.#problem = undefined;
    const state = { ...this.#stored(next.state), totals, events: [...judged, ...this.#phaseChange(next.state)] };
    await this.#ports.store.saveEvaluation({ run: this.run, round, metrics, seconds, ...judging, state });
    this.#record = { ...this.#record, totals };
    this.#toldPhase = next.state.phase;
    this.#log.info({ round, metrics }, "model judged");
    this.#handle(event);
  }

  async #save(): Promise<void> {
    await this.#ports.store.saveRunState(this.run, this.#stored(this.#state));
  }

  /** What watchers are to be told if the run goes from the phase they know of to this state. */
  #phaseChange(state: RunState): UnnumberedEvent[] {
    return state.phase === this.#toldPhase ? [] : [phaseEvent(this.run, state, this.#ports.now())];
  }

  #stored(state: RunState) {
    const { phase, progress } = state;
    const { startedAt, endedAt } = this.#record;
    return {
      phase,
      progress,
      ...(state.phase === "collecting" ? { begins: placeOf(state.attempt) } : {}),
      metrics: progress.latest,
      ...("reason" in state ? { reason: state.reason } : {}),
      ...(this.#problem === undefined ? {} : { problem: this.#problem }),
      ...(startedAt === undefined ? {} : { startedAt: Math.round(startedAt) }),
      ...(endedAt === undefined ? {} : { endedAt: Math.round(endedAt) }),
    };
  }
}

function hintOf(run: RunId, { round, attempt, kind }: Attempt, step: number): Hint {
  return { run, round, attempt, step, kind };
}

function placeOf({ round, attempt }: Attempt): { round: number; attempt: number } {
  return { round, attempt };
}

function addressOf({ run, round, attempt, step }: StepAddress): StepAddress {
  return { run, round, attempt, step };
}

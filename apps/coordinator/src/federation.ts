import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { algorithmNamed, parseRunSpec } from "@tributary/catalog";
import {
  type ClientId,
  type DataSpec,
  type DeviceState,
  isOver,
  type ModelSpec,
  ProtocolError,
  type RunId,
  type RunRecord,
  type RunSpec,
  type Sha256,
  type UnnumberedEvent,
} from "@tributary/protocol";
import { newRun, type Progress, type RunState } from "@tributary/round";
import type { FastifyBaseLogger } from "fastify";
import { Devices } from "./devices.ts";
import { loadInclusions } from "./inclusions.ts";
import type { Models } from "./models.ts";
import { vectorBytes } from "./question.ts";
import { checkpointBytes } from "./round-commit.ts";
import { RunSession, type SessionPorts, type StoredAttempt } from "./run-session.ts";
import { Unmasker } from "./secure/unmasker.ts";
import { floats, loadServerState } from "./server-state.ts";
import type { Blobs } from "./store/blobs.ts";
import type { Spool } from "./store/spool.ts";
import type { Store, StoredRun } from "./store/store.ts";

export interface FederationOptions {
  readonly store: Store;
  readonly blobs: Blobs;
  readonly spool: Spool;
  readonly models: Models;
  readonly log: FastifyBaseLogger;
  /** How long a device whose socket broke may be away before it counts as gone. */
  readonly graceMs?: number;
}

const longestCloseMs = 5_000;

/** Events of no commit wait this long for company, so that a thousand devices joining do not cost a thousand syncs. */
const eventsWaitMs = 20;

/** Every run of this coordinator, and the devices that serve them. */
export class Federation {
  readonly devices: Devices;
  readonly #ports: SessionPorts;
  readonly #sessions = new Map<RunId, RunSession>();
  readonly #unmasker = new Unmasker();
  #writing: NodeJS.Timeout | undefined;
  #closed = false;

  constructor({ graceMs = 5_000, ...ports }: FederationOptions) {
    this.devices = new Devices(graceMs);
    const started = performance.timeOrigin;
    const now = () => started + performance.now();
    this.#ports = {
      ...ports,
      devices: this.devices,
      unmasker: this.#unmasker,
      identityKey: (client) => this.#identityKey(client),
      now,
      note: (event) => this.#note(event),
      noteProblem: (run, problem) => {
        this.#ports.store.noteProblem(run, problem);
        this.#write();
      },
    };
    this.devices.onMembership = ({ client, name, run, change }) => {
      const place = { at: this.now(), run, client };
      if (change.kind === "join") this.#note({ type: "join", ...place, name });
      else this.#note({ type: "leave", ...place, reason: change.reason });
    };
    this.devices.onPresent = () => {
      for (const session of this.#sessions.values()) session.present();
    };
    this.devices.onDeparted = (client, reason, run) => {
      for (const session of this.#sessions.values()) {
        if (run === undefined || run === session.run) session.departed(client, reason);
      }
    };
  }

  now(): number {
    return Math.round(this.#ports.now());
  }

  /** Takes up every stored run where its last commit left it. Throws, naming the file, if one cannot be read. */
  async restore(): Promise<void> {
    for (const stored of await this.#ports.store.runs()) {
      const session = await this.#revive(stored);
      if (session !== undefined) this.#adopt(session);
    }
  }

  /** The specification with its defaults, once a run can be created of it; throws what creating one would be refused for. */
  async check(input: unknown): Promise<RunSpec> {
    const spec = parseRunSpec(input);
    const { evaluation, model, data } = spec;
    if (evaluation.on === "coordinator") await this.#ports.models.checkSet(evaluation.data, data);
    if (model !== undefined) await this.#checkModel(model, data);
    return spec;
  }

  /** Creates a run with version 0 of its model; it waits to be started. */
  async create(input: unknown): Promise<RunRecord> {
    const spec = await this.check(input);
    const { store, blobs } = this.#ports;
    const algorithm = algorithmNamed(spec.algorithm.name);
    const server = algorithm.server.init(spec, await this.#initialModel(spec));
    const run = `run-${randomBytes(6).toString("hex")}` as RunId;
    const createdAt = this.now();
    const sha256 = await blobs.put(vectorBytes(server.model));
    const checkpoint = await blobs.put(checkpointBytes(server));
    await store.createRun({ run, name: spec.name, spec, createdAt });
    const { progress, phase } = newRun;
    const bytes = server.model.byteLength;
    await store.initModel({
      model: { run, version: 0, round: 0, sha256, bytes, parameters: server.model.length, metrics: {}, createdAt },
      checkpoint,
      state: { phase, progress, events: [{ type: "created", at: createdAt, run, name: spec.name }] },
    });
    const record = (await store.run(run))!.record;
    const session = new RunSession({ record, spec, algorithm, server, inclusions: new Map() }, newRun, this.#ports);
    this.#adopt(session);
    this.#ports.log.info({ run, name: spec.name }, "run created");
    return session.record;
  }

  session(run: string): RunSession {
    const session = this.#sessions.get(run as RunId);
    if (session === undefined) throw new ProtocolError("not_found", `There is no run ${run}.`);
    return session;
  }

  /** Every run, oldest first. */
  records(): RunRecord[] {
    return [...this.#sessions.values()].map((session) => session.record);
  }

  /** What a device should know after any absence: the runs that are not over, and the questions that wait for it. */
  deviceState(client: ClientId): DeviceState {
    const open = [...this.#sessions.values()].filter((session) => !isOver(session.phase));
    const asked = open.map((session) => session.hintFor(client)).filter((hint) => hint !== undefined);
    return { client, runs: open.map((session) => session.plan), asked };
  }

  /** A device fetched a vector; the rounds that asked it for one count the bytes. */
  noteDownload(client: ClientId, bytes: number): void {
    for (const session of this.#sessions.values()) session.noteDownload(client, bytes);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#writing);
    this.devices.close();
    const settled = Promise.all([...this.#sessions.values()].map((session) => session.close()));
    // A commit takes milliseconds; what takes longer, such as an evaluation, the next start does again.
    await Promise.race([settled, sleep(longestCloseMs, undefined, { ref: false })]);
    await this.#unmasker.close();
  }

  /** Tells watchers, once it is durable: with the next commit, or within moments of its own. */
  #note(event: UnnumberedEvent): void {
    this.#ports.store.noteEvent(event);
    this.#write();
  }

  #write(): void {
    const { store, log } = this.#ports;
    if (this.#writing !== undefined || this.#closed) return;
    this.#writing = setTimeout(() => {
      this.#writing = undefined;
      store.writeEvents().catch((error: unknown) => log.error({ err: error }, "could not write events"));
    }, eventsWaitMs);
  }

  #adopt(session: RunSession): void {
    let phase = session.phase;
    this.#sessions.set(session.run, session);
    session.onChange = () => {
      const { record } = session;
      if (record.phase === phase) return;
      const tell = isOver(record.phase) || phase === "created" || phase === "paused" || record.phase === "paused";
      phase = record.phase;
      if (!tell) return;
      const news = { run: session.run, phase, ...(record.reason === undefined ? {} : { reason: record.reason }) };
      for (const link of this.devices.links()) link.news(news);
    };
    const { record } = session;
    if (!isOver(record.phase)) {
      for (const link of this.devices.links()) link.news({ run: session.run, phase: record.phase });
    }
  }

  /** An open run that cannot be judged would fail for good at its next evaluation; better not to start at all. */
  #requireEvaluationSet({ run, phase, spec }: RunRecord): void {
    const { evaluation } = spec as RunSpec;
    if (isOver(phase) || evaluation.on !== "coordinator") return;
    try {
      this.#ports.models.requireSet(evaluation.data);
    } catch (cause) {
      const mend = "start it with that set again (--evaluation-data), or stop the run first";
      throw new ProtocolError("bad_spec", `${run} is open: ${(cause as Error).message} ${mend}`, { cause });
    }
  }

  async #revive({ record, progress }: StoredRun): Promise<RunSession | undefined> {
    const { store, log } = this.#ports;
    const spec = record.spec as RunSpec;
    this.#requireEvaluationSet(record);
    const version = record.modelVersion;
    const [model, checkpoint] = await Promise.all([
      store.model(record.run, version),
      store.checkpoint(record.run, version),
    ]);
    if (model === undefined || checkpoint === undefined || progress === null) {
      // Creation died between its two writes; nobody was ever told of this run.
      log.warn({ run: record.run }, "a run without a model is left out: its creation was interrupted");
      return undefined;
    }
    const server = await loadServerState(this.#ports.blobs, { sha256: model.sha256, checkpoint });
    const algorithm = algorithmNamed(spec.algorithm.name);
    const inclusions = algorithm.client.keeps ? await loadInclusions(store, record.run) : new Map();
    const session = new RunSession({ record, spec, algorithm, server, inclusions }, newRun, this.#ports);
    const { unfinished, ...saved } = progress as Progress & { unfinished?: StoredAttempt };
    const attempts = {
      current: Math.max(saved.attempts.current, await store.lastAttempt(record.run, record.round)),
      next: await store.lastAttempt(record.run, record.round + 1),
    };
    const reason = record.reason === undefined ? {} : { reason: record.reason };
    session.restore({
      progress: { ...saved, attempts },
      phase: record.phase as RunState["phase"],
      ...reason,
      ...(unfinished === undefined || isOver(record.phase) ? {} : { unfinished }),
    });
    return session;
  }

  /** The Ed25519 key with which a client enrolled. */
  async #identityKey(client: ClientId): Promise<Uint8Array> {
    const stored = await this.#ports.store.client(client);
    if (stored === undefined) throw new ProtocolError("not_found", `There is no client ${client}.`);
    return new Uint8Array(Buffer.from(stored.publicKey, "base64"));
  }

  /** Version 0 of the layers: uploaded weights, or drawn from the seed; empty for a run that trains none. */
  async #initialModel({ model, data, seed }: RunSpec): Promise<Float32Array> {
    if (model === undefined) return new Float32Array(0);
    if (model.weights === undefined) return this.#ports.models.initialise({ model, data, seed });
    return floats(await this.#ports.blobs.get(model.weights as Sha256));
  }

  /** Throws unless the layers fit each other and the data, and the weights to start from, where there are any, the layers. */
  async #checkModel(model: ModelSpec, data: DataSpec): Promise<void> {
    const { models, blobs } = this.#ports;
    const expected = await models.parameterCount({ model, data }).catch((cause: unknown) => {
      if (!(cause instanceof ProtocolError)) throw cause;
      throw ProtocolError.naming(cause.code, [{ path: "model", detail: cause.message }], { cause });
    });
    if (model.weights === undefined) return;
    const refuse = (detail: string): never => {
      throw ProtocolError.naming("bad_spec", [{ path: "model.weights", detail }]);
    };
    const upload = await blobs.find(model.weights as Sha256);
    if (upload === undefined) return refuse("nothing with this SHA-256 was uploaded (POST /v1/models)");
    const weights = upload.bytes / Float32Array.BYTES_PER_ELEMENT;
    if (weights !== expected) return refuse(`the model has ${expected} weights, the upload ${weights}`);
  }
}

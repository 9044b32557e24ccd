import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import {
  type EventGap,
  type FederationEvent,
  heartbeatMs,
  isOver,
  type ModelRecord,
  type RoundSummary,
  type RunRecord,
  type RunStanding,
  routes,
  summaryOf,
} from "@tributary/protocol";
import { api, Refused } from "./api.ts";
import { curvePoints, historyPath, pagePath, sketchPath, sketchPoints } from "./paths.ts";
import { link, type Place, placeOf } from "./place.ts";
import { Resource } from "./resource.ts";
import type { Writing } from "./spec/writing.ts";
import { words } from "./words.ts";

/** How the page stands with the coordinator. `polled`: it answers, and its events do not come through. */
export type Link = "connecting" | "live" | "polled" | "lost" | "key needed" | "key refused";
export type Action = "start" | "pause" | "resume" | "stop";

const retryMs = 2_000;
/** A line on which not even heartbeats come is dead, whatever the browser thinks of it. */
const silenceMs = 3 * heartbeatMs;
/** The coordinator begins every stream with a comment: where that does not come, events are held back. */
const firstWordMs = 5_000;
const pollMs = 5_000;
const settleMs = 150;
/** After this long a command counts as unanswered; the coordinator may yet carry it out. */
const patienceMs = 20_000;

/** What nobody looks at is let go of beyond this many, what was longest not asked for first. */
const mostResources = 200;

/**
 * What the operator's page knows. REST says where things stand when the event stream opens; from then on events say what
 * to look at again, or bring it along.
 */
export class Dashboard {
  readonly link = signal<Link>("connecting");
  /** When the page last heard from the coordinator, while it does not. */
  readonly lostAt = signal<Date | undefined>(undefined);
  readonly place = signal<Place>(placeOf(""));
  /** Undefined until they have been fetched. */
  readonly runs = signal<readonly RunRecord[] | undefined>(undefined);
  /** Why they could not be fetched when that was last tried. */
  readonly runsFault = signal<Error | undefined>(undefined);
  readonly fault = signal<string | undefined>(undefined);
  /** Commands that await their answer: what is being done, by the run or the client that it is done to. */
  readonly underWay = signal<ReadonlyMap<string, string>>(new Map());
  /** What was done last, for who hears the page. */
  readonly said = signal("");
  readonly run: ReadonlySignal<RunRecord | undefined> = computed(() => {
    const place = this.place.value;
    return "run" in place ? this.runs.value?.find(({ run }) => run === place.run) : undefined;
  });
  /** Runs that are marked to be compared. */
  readonly marked = signal<readonly string[]>([]);
  /** Specifications that are being written, by the run that each began as. */
  readonly writings = new Map<string | undefined, Signal<Writing>>();
  #lastEventId = "";
  #stream = new AbortController();
  /** Ends the polling, while there is any. */
  #polling: AbortController | undefined;
  readonly #due = new Map<string, number>();
  readonly #resources = new Map<string, Resource<unknown>>();

  start(): void {
    const route = () => {
      this.#tidy();
      this.place.value = placeOf(location.hash);
    };
    addEventListener("hashchange", route);
    route();
    void this.#follow();
  }

  useKey(key: string | undefined): void {
    api.useKey(key);
    this.#stream.abort();
    this.link.value = "connecting";
    void this.#follow();
  }

  /** What REST answers at a path; one object per path. */
  at<Value>(path: string): Resource<Value> {
    const known = this.#resources.get(path);
    if (known !== undefined) {
      this.#resources.delete(path);
      this.#resources.set(path, known);
      return known as Resource<Value>;
    }
    const made = new Resource<Value>(() => api.get<Value>(path));
    this.#resources.set(path, made as Resource<unknown>);
    return made;
  }

  /** Carries out an operator's command on a run. */
  command(action: Action, run: string): Promise<void> {
    return this.#carryOut({ subject: run, doing: action, done: words.done[action] }, async () =>
      this.#put(await api.post<RunRecord>(routes.runAction(action, run))),
    );
  }

  /** Has the coordinator look over a specification. Throws its refusal. */
  async check(spec: unknown): Promise<void> {
    await api.post(routes.runCheck(), spec);
  }

  /** Creates a run and shows it. Throws the coordinator's refusal. */
  async create(spec: unknown): Promise<void> {
    const record = await api.post<RunRecord>(routes.runs(), spec);
    this.#put(record);
    location.hash = link.run(record.run);
  }

  rollBack(run: string, version: number): Promise<void> {
    const command = { subject: run, doing: `${version}`, done: words.done.rolledBack(version) };
    return this.#carryOut(command, async () => void (await api.post<ModelRecord>(routes.rollback(run), { version })));
  }

  revoke(client: string): Promise<void> {
    return this.#carryOut({ subject: client, doing: "revoke", done: words.done.revoked }, async () => {
      await api.delete(routes.client(client));
      this.#stale(routes.clients());
    });
  }

  download(path: string, name: string): Promise<void> {
    return this.tell(() => api.download(path, name));
  }

  mark(run: string, isMarked: boolean): void {
    const others = this.marked.value.filter((other) => other !== run);
    this.marked.value = isMarked ? [...others, run] : others;
  }

  /** Does what the operator asked for; what goes wrong is shown on the page. */
  async tell(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.fault.value = (error as Error).message;
    }
  }

  /** Fetches the runs, and whatever is on the page, anew. */
  async lookAtAll(): Promise<void> {
    try {
      await this.#lookAtAll();
      this.runsFault.value = undefined;
    } catch (error) {
      this.runsFault.value = error as Error;
    }
  }

  /** Sends a command, not again while it awaits its answer; what became of it is said either way. */
  async #carryOut(command: Command, work: () => Promise<void>): Promise<void> {
    const { subject, doing, done } = command;
    if (this.underWay.value.has(subject)) return;
    this.underWay.value = new Map([...this.underWay.value, [subject, doing]]);
    this.fault.value = undefined;
    this.said.value = "";
    await this.tell(async () => {
      await inTime(work());
      this.said.value = done;
    });
    this.underWay.value = new Map([...this.underWay.value].filter(([other]) => other !== subject));
  }

  /** Fetches something unasked: that the line is down is told of by the stream. */
  async #keepUp(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Refused && error.status === 0)) this.fault.value = (error as Error).message;
    }
  }

  /** Follows the events for as long as the page is open or until a key is needed. */
  async #follow(): Promise<void> {
    const stream = new AbortController();
    this.#stream = stream;
    this.#polling = undefined;
    while (!stream.signal.aborted) {
      const held = setTimeout(() => void this.#poll(stream.signal), firstWordMs);
      const onWord = () => {
        if (this.link.value === "live") return;
        clearTimeout(held);
        this.#polling?.abort();
        this.link.value = "live";
        this.lostAt.value = undefined;
        void this.lookAtAll();
      };
      try {
        const line = { signal: stream.signal, silenceMs, onWord };
        for await (const { data, lastEventId } of api.events(this.#lastEventId, line)) {
          this.#lastEventId = lastEventId;
          this.#hear(JSON.parse(data) as FederationEvent | EventGap);
        }
      } catch (error) {
        if (stream.signal.aborted || this.#isLockedOut(error)) return;
      } finally {
        clearTimeout(held);
      }
      if (this.#polling === undefined) this.#lose();
      await pause(retryMs);
    }
  }

  /** Asks REST again and again while something on the way, such as a proxy, holds the events back. */
  async #poll(following: AbortSignal): Promise<void> {
    if (this.#polling !== undefined) return;
    const polling = new AbortController();
    this.#polling = polling;
    const signal = AbortSignal.any([following, polling.signal]);
    while (!signal.aborted) {
      try {
        await this.#lookAtAll();
        if (signal.aborted) break;
        this.link.value = "polled";
        this.lostAt.value = undefined;
      } catch (error) {
        if (signal.aborted || this.#isLockedOut(error)) break;
        this.#lose();
      }
      await pause(pollMs);
    }
    if (this.#polling === polling) this.#polling = undefined;
  }

  #lose(): void {
    this.link.value = "lost";
    this.lostAt.value ??= new Date();
  }

  /** Whether the coordinator wants a key, or another one; then nothing is asked until there is one. */
  #isLockedOut(error: unknown): boolean {
    const status = error instanceof Refused ? error.status : 0;
    if (status !== 401 && status !== 403) return false;
    this.#stream.abort();
    this.link.value = api.hasKey ? "key refused" : "key needed";
    return true;
  }

  #hear(event: FederationEvent | EventGap): void {
    if (event.type === "gap") {
      void this.lookAtAll();
      return;
    }
    const { run } = event;
    this.#soon(`run ${run}`, () => this.#lookAt(run));
    switch (event.type) {
      case "round": {
        const summary = summaryOf(event.record);
        this.#changeRounds(run, summary.round, (rounds) => {
          return [...rounds.filter(({ round }) => round !== summary.round), summary];
        });
        this.#stale(routes.models(run), routes.clients());
        this.#staleRound(run, summary.round);
        return;
      }
      case "evaluation":
        this.#changeRounds(run, event.round, (rounds) =>
          rounds.map((known) => {
            if (known.round !== event.round) return known;
            const { metrics: evaluation, judging = known.judging, seconds: evaluating = 0 } = event;
            const seconds = { ...known.seconds, evaluating };
            return { ...known, evaluation, seconds, ...(judging === undefined ? {} : { judging }) };
          }),
        );
        this.#stale(routes.models(run));
        this.#staleRound(run, event.round);
        return;
      case "step-opened":
      case "step-closed":
      case "abandoned":
      case "dropped":
      case "decline":
        this.#staleRound(run, event.round);
        return;
      case "join":
      case "leave":
        this.#stale(routes.runClients(run), routes.clients());
        return;
      case "rollback":
        this.#stale(routes.models(run));
        return;
      case "created":
      case "phase":
      case "metric":
        return;
    }
  }

  /** Changes rounds wherever they are known. A curve that has twice its points is thinned anew by who keeps all. */
  #changeRounds(run: string, round: number, patch: (rounds: RoundSummary[]) => RoundSummary[]): void {
    for (const [path, most] of [
      [historyPath(run), 2 * curvePoints],
      [sketchPath(run), 2 * sketchPoints],
      // Holds no more by itself.
      [pagePath(run, round), Number.POSITIVE_INFINITY],
    ] as const) {
      const history = this.#resources.get(path) as Resource<RoundSummary[]> | undefined;
      history?.change(patch);
      if ((history?.value.value?.length ?? 0) >= most) history?.stale();
    }
  }

  /** A page that is open for months must not hold all that was ever looked at on it. */
  #tidy(): void {
    for (const [path, resource] of this.#resources) {
      if (this.#resources.size <= mostResources) return;
      if (!resource.isWatched) this.#resources.delete(path);
    }
  }

  #staleRound(run: string, round: number): void {
    const timeline = routes.timeline(run, round);
    this.#stale(routes.round(run, round), timeline);
    for (const path of this.#resources.keys()) if (path.startsWith(`${timeline}?`)) this.#stale(path);
  }

  #stale(...paths: readonly string[]): void {
    for (const path of paths) this.#resources.get(path)?.stale();
  }

  async #lookAtAll(): Promise<void> {
    for (const resource of this.#resources.values()) resource.stale();
    const known = new Map(this.runs.value?.map(({ run, spec }) => [run, spec]));
    if (known.size === 0) {
      this.runs.value = await api.get<RunRecord[]>(routes.runs());
      return;
    }
    const runs = await api.get<RunStanding[]>(`${routes.runs()}?spec=false`);
    this.runs.value = runs.flatMap((run) => (known.has(run.run) ? { ...run, spec: known.get(run.run) } : []));
    for (const { run } of runs) if (!known.has(run)) await this.#lookAt(run);
  }

  /** Asks for a run, and for its specification the first time only: that never changes, and may be long. */
  async #lookAt(run: string): Promise<void> {
    const known = this.runs.value?.find((record) => record.run === run);
    if (known === undefined) return this.#put(await api.get<RunRecord>(routes.run(run)));
    this.#put({ ...(await api.get<RunStanding>(`${routes.run(run)}?spec=false`)), spec: known.spec });
  }

  #put(record: RunRecord): void {
    const others = this.runs.value?.filter(({ run }) => run !== record.run) ?? [];
    this.runs.value = [...others, record].sort((a, b) => a.createdAt - b.createdAt);
  }

  /** Does it once, however often it is asked for within a moment. */
  #soon(what: string, work: () => Promise<void>): void {
    if (this.#due.has(what)) return;
    const timer = window.setTimeout(() => {
      this.#due.delete(what);
      void this.#keepUp(work);
    }, settleMs);
    this.#due.set(what, timer);
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

interface Command {
  /** The run or the client that it changes: one command at a time for each. */
  readonly subject: string;
  readonly doing: string;
  readonly done: string;
}

async function inTime(answer: Promise<void>): Promise<void> {
  let timer = 0;
  const late = new Promise<never>((_, reject) => {
    timer = window.setTimeout(() => reject(new Error(words.unanswered(patienceMs / 1_000))), patienceMs);
  });
  try {
    await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What an operator can do with a run in this phase. */
export function actionsFor({ phase }: RunRecord): readonly Action[] {
  if (isOver(phase)) return [];
  if (phase === "created") return ["start", "stop"];
  return phase === "paused" ? ["resume", "stop"] : ["pause", "stop"];
}

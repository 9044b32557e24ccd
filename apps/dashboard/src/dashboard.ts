import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import {
  type EventGap,
  type FederationEvent,
  isOver,
  type ModelRecord,
  type RoundSummary,
  type RunRecord,
  routes,
  summaryOf,
} from "@tributary/protocol";
import { api, Refused } from "./api.ts";
import { link, type Place, placeOf } from "./place.ts";
import { Resource } from "./resource.ts";
import type { Writing } from "./spec/writing.ts";
import { words } from "./words.ts";

/** How the page stands with the coordinator. */
export type Link = "connecting" | "live" | "lost" | "key needed" | "key refused";
export type Action = "start" | "pause" | "resume" | "stop";

const retryMs = 2_000;
const settleMs = 150;
/** After this long a command counts as unanswered; the coordinator may yet carry it out. */
const patienceMs = 20_000;

/** A run's figures as curves need them: of a long run about this many rounds. */
export const historyPath = (run: string) => `${routes.history(run)}?points=1000`;
export const sketchPath = (run: string) => `${routes.history(run)}?points=60`;

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
  readonly #due = new Map<string, number>();
  readonly #resources = new Map<string, Resource<unknown>>();

  start(): void {
    const route = () => {
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
    if (known !== undefined) return known as Resource<Value>;
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
    for (const resource of this.#resources.values()) resource.stale();
    try {
      this.runs.value = await api.get<RunRecord[]>(routes.runs());
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
    while (!stream.signal.aborted) {
      try {
        const opened = () => {
          this.link.value = "live";
          this.lostAt.value = undefined;
          void this.lookAtAll();
        };
        for await (const { data, lastEventId } of api.events(this.#lastEventId, stream.signal, opened)) {
          this.#lastEventId = lastEventId;
          this.#hear(JSON.parse(data) as FederationEvent | EventGap);
        }
      } catch (error) {
        if (stream.signal.aborted) return;
        const status = error instanceof Refused ? error.status : 0;
        if (status === 401 || status === 403) {
          this.link.value = api.hasKey ? "key refused" : "key needed";
          return;
        }
      }
      this.link.value = "lost";
      this.lostAt.value ??= new Date();
      await new Promise((resolve) => setTimeout(resolve, retryMs));
    }
  }

  #hear(event: FederationEvent | EventGap): void {
    if (event.type === "gap") {
      void this.lookAtAll();
      return;
    }
    const { run } = event;
    this.#soon(`run ${run}`, async () => this.#put(await api.get<RunRecord>(routes.run(run))));
    const histories = [historyPath(run), sketchPath(run)].map((path) => this.at<RoundSummary[]>(path));
    const changeRound = (round: number, patch: (known: RoundSummary) => RoundSummary) => {
      const patched = (known: RoundSummary) => (known.round === round ? patch(known) : known);
      for (const history of histories) history.change((rounds) => rounds.map(patched));
    };
    switch (event.type) {
      case "round": {
        const summary = summaryOf(event.record);
        const others = (rounds: RoundSummary[]) => rounds.filter(({ round }) => round !== summary.round);
        for (const history of histories) history.change((rounds) => [...others(rounds), summary]);
        this.#stale(routes.models(run), routes.clients());
        this.#staleRound(run, summary.round);
        return;
      }
      case "evaluation":
        changeRound(event.round, (known) => {
          const { judging = known.judging } = event;
          return { ...known, evaluation: event.metrics, ...(judging === undefined ? {} : { judging }) };
        });
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

  #staleRound(run: string, round: number): void {
    this.#stale(routes.round(run, round), routes.timeline(run, round));
  }

  #stale(...paths: readonly string[]): void {
    for (const path of paths) this.#resources.get(path)?.stale();
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

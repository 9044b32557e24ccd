import { computed, type ReadonlySignal, signal } from "@preact/signals";
import {
  type ClientRecord,
  type EventGap,
  type FederationEvent,
  isOver,
  type ModelRecord,
  type RoundRecord,
  type RunId,
  type RunRecord,
  routes,
} from "@tributary/protocol";
import { api, Refused } from "./api.ts";

/** How the page stands with the coordinator. */
export type Link = "connecting" | "live" | "lost" | "key needed" | "key refused";

/** One run's details; each is undefined until it has been fetched. */
export interface Details {
  readonly run: string;
  readonly rounds: readonly RoundRecord[] | undefined;
  readonly clients: readonly ClientRecord[] | undefined;
  readonly models: readonly ModelRecord[] | undefined;
}

const retryMs = 2_000;
const settleMs = 150;

/**
 * What the operator's page knows. REST says where things stand when the event stream opens; from then on events say what
 * to look at again, or bring it along.
 */
export class Dashboard {
  readonly link = signal<Link>("connecting");
  /** Undefined until they have been fetched. */
  readonly runs = signal<readonly RunRecord[] | undefined>(undefined);
  readonly selected = signal<string | undefined>(undefined);
  readonly details = signal<Details | undefined>(undefined);
  readonly fault = signal<string | undefined>(undefined);
  readonly run: ReadonlySignal<RunRecord | undefined> = computed(() =>
    this.runs.value?.find(({ run }) => run === this.selected.value),
  );
  #lastEventId = "";
  #stream = new AbortController();
  readonly #due = new Map<string, number>();

  start(): void {
    const route = () => {
      const run = /^#\/runs\/([\w-]+)$/.exec(location.hash)?.[1];
      if (run === this.selected.value) return;
      this.selected.value = run;
      this.details.value = undefined;
      if (run !== undefined && this.link.value === "live") void this.#tell(() => this.#lookAt(run));
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

  /** Carries out an operator's command on the run that is shown. */
  command(action: "start" | "pause" | "resume" | "stop"): Promise<void> {
    const run = this.selected.value!;
    return this.#tell(async () => this.#put(await api.post<RunRecord>(routes.runAction(action, run))));
  }

  download(path: string, name: string): Promise<void> {
    return this.#tell(() => api.download(path, name));
  }

  /** Follows the events for as long as the page is open or until a key is needed. */
  async #follow(): Promise<void> {
    const stream = new AbortController();
    this.#stream = stream;
    while (!stream.signal.aborted) {
      try {
        const opened = () => {
          this.link.value = "live";
          void this.#tell(() => this.#lookAtAll());
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
      await new Promise((resolve) => setTimeout(resolve, retryMs));
    }
  }

  #hear(event: FederationEvent | EventGap): void {
    if (event.type === "gap") {
      void this.#tell(() => this.#lookAtAll());
      return;
    }
    const { run } = event;
    this.#soon(`run ${run}`, async () => this.#put(await api.get<RunRecord>(routes.run(run))));
    const shown = this.details.value;
    if (shown?.run !== run) return;
    if (event.type === "round") this.#detail(run, { rounds: withRound(shown.rounds, event.record) });
    if (event.type === "evaluation") {
      const { round, metrics } = event;
      const rounds = shown.rounds?.map((known) => (known.round === round ? { ...known, evaluation: metrics } : known));
      this.#detail(run, { rounds });
    }
    if (event.type === "round" || event.type === "evaluation" || event.type === "rollback") {
      this.#soon("models", async () => this.#detail(run, { models: await api.get(routes.models(run)) }));
    }
    if (event.type === "join" || event.type === "leave" || event.type === "round") {
      this.#soon("clients", async () => this.#detail(run, { clients: await api.get(routes.runClients(run)) }));
    }
  }

  async #lookAtAll(): Promise<void> {
    this.runs.value = await api.get<RunRecord[]>(routes.runs());
    if (this.selected.value !== undefined) await this.#lookAt(this.selected.value);
  }

  async #lookAt(run: string): Promise<void> {
    if (this.runs.value?.every((known) => known.run !== run)) return;
    if (this.details.value?.run !== run) {
      this.details.value = { run, rounds: undefined, clients: undefined, models: undefined };
    }
    const [rounds, clients, models] = await Promise.all([
      allRounds(run),
      api.get<ClientRecord[]>(routes.runClients(run)),
      api.get<ModelRecord[]>(routes.models(run)),
    ]);
    // A round may have come by event while the list was on its way.
    const missed = this.details.value?.rounds?.filter(({ round }) => round > (rounds.at(-1)?.round ?? 0)) ?? [];
    this.#detail(run, { rounds: [...rounds, ...missed], clients, models });
  }

  #detail(run: string, part: Partial<Details>): void {
    if (this.details.value?.run === run) this.details.value = { ...this.details.value, ...part };
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
      void this.#tell(work);
    }, settleMs);
    this.#due.set(what, timer);
  }

  async #tell(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.fault.value = undefined;
    } catch (error) {
      // A line that is down is told of by the stream.
      if (!(error instanceof Refused && error.status === 0)) this.fault.value = (error as Error).message;
    }
  }
}

/** What an operator can do with a run in this phase. */
export function actionsFor({ phase }: RunRecord): readonly ("start" | "pause" | "resume" | "stop")[] {
  if (isOver(phase)) return [];
  if (phase === "created") return ["start", "stop"];
  return phase === "paused" ? ["resume", "stop"] : ["pause", "stop"];
}

async function allRounds(run: string): Promise<RoundRecord[]> {
  const rounds: RoundRecord[] = [];
  for (;;) {
    const page = await api.get<RoundRecord[]>(`${routes.rounds(run as RunId)}?after=${rounds.at(-1)?.round ?? 0}`);
    rounds.push(...page);
    if (page.length < 1000) return rounds;
  }
}

function withRound(rounds: readonly RoundRecord[] | undefined, record: RoundRecord): RoundRecord[] {
  return [...(rounds ?? []).filter(({ round }) => round !== record.round), record];
}

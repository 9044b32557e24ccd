import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Child, type Line, Rest, startChild } from "@tributary/cli";
import { isOver, type RoundRecord, type RunRecord, routes } from "@tributary/protocol";

export interface FederationPlan {
  readonly spec: unknown;
  /** The coordinator's held-out set, where the specification wants one. */
  readonly evaluationData?: string;
  /** The arguments of each `tributary join` process, without `--coordinator`, `--run` and `--json`. */
  readonly joins: readonly (readonly string[])[];
  readonly onRound: (round: RoundRecord) => void;
}

export interface FederationResult {
  readonly rounds: readonly RoundRecord[];
  readonly run: RunRecord;
  /** The last version's vector, as `weights.bin` has it. */
  readonly weights: Uint8Array;
  /** Every `trained` line of every device: what it worked on, and when by its own clock. */
  readonly trained: readonly {
    readonly round: number;
    readonly kind: string;
    readonly startedAt: number;
    readonly endedAt: number;
  }[];
}

/** Runs one federation to its end: a coordinator and devices as processes of their own, on loopback. */
export async function federate(plan: FederationPlan): Promise<FederationResult> {
  const folder = await mkdtemp(join(tmpdir(), "tributary-experiment-"));
  const children: Child[] = [];
  const trained: FederationResult["trained"][number][] = [];
  try {
    const coordinator = startChild([
      "coordinator",
      ...["--json", "--port", "0", "--log-level", "warn", "--data-folder", folder],
      ...(plan.evaluationData === undefined ? [] : ["--evaluation-data", plan.evaluationData]),
    ]);
    children.push(coordinator);
    const { url } = (await coordinator.line("listening")) as { url?: string };
    const rest = await Rest.open({ url: url! });
    const { run } = await rest.post<RunRecord>(routes.runs(), plan.spec);
    const note = (line: Line) => {
      if (line.type !== "trained") return;
      const { hint, startedAt, endedAt } = line as unknown as TrainedLine;
      trained.push({ round: hint.round, kind: hint.kind, startedAt, endedAt });
    };
    for (const args of plan.joins) {
      children.push(startChild(["join", "--json", "--coordinator", url!, "--run", run, ...args], note));
    }
    await rest.post(routes.runAction("start", run));
    const rounds: RoundRecord[] = [];
    // Looks only once a second: a watcher that follows every event takes a core from the rounds that it times.
    const watch = (async () => {
      for (;;) {
        const { phase } = await rest.get<RunRecord>(routes.run(run));
        const news = await rest.get<RoundRecord[]>(`${routes.rounds(run)}?after=${rounds.length}`);
        const known = isOver(phase) ? news : news.slice(0, -1);
        rounds.push(...known);
        for (const round of known) plan.onRound(round);
        if (isOver(phase)) return;
        await sleep(1_000);
      }
    })();
    await Promise.race([watch, ...children.map(({ failed }) => failed)]);
    const record = await rest.get<RunRecord>(routes.run(run));
    const weights = await rest.bytes(routes.modelWeights(run, record.modelVersion));
    return { rounds, run: record, weights, trained };
  } finally {
    await Promise.all(children.map((child) => child.stop()));
    await rm(folder, { recursive: true, force: true });
  }
}

interface TrainedLine {
  readonly hint: { readonly round: number; readonly kind: string };
  readonly startedAt: number;
  readonly endedAt: number;
}

/**
 * Milliseconds of each round that are not training: (round opened → first device starts) + (last device ends → round
 * committed). The devices share the coordinator's clock, since all run on one machine.
 */
export function roundOverheads({ rounds, trained }: FederationResult): number[] {
  return rounds.flatMap(({ round, openedAt, committedAt }) => {
    const spans = trained.filter((span) => span.round === round && span.kind === "train");
    if (spans.length === 0) return [];
    const first = Math.min(...spans.map(({ startedAt }) => startedAt));
    const last = Math.max(...spans.map(({ endedAt }) => endedAt));
    return [first - openedAt + (committedAt - last)];
  });
}

/** The middle value. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

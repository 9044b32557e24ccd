import { ProtocolError, type RunId, type RunProblem, type RunRecord, type RunTotals } from "@tributary/protocol";
import type { Kysely, Selectable } from "kysely";
import { noTotals } from "../run-totals.ts";
import type { NewRun, RunState, StoredRun } from "./store.ts";
import type { Tables } from "./tables.ts";

export async function insertRun(tables: Kysely<Tables>, run: NewRun): Promise<void> {
  if (await findRun(tables, run.run)) throw new ProtocolError("wrong_state", `run ${run.run} exists already`);
  const start = { phase: "created", reason: null, progress: "null", round: 0, model_version: 0, metrics: "{}" };
  const totals = JSON.stringify(noTotals);
  await tables
    .insertInto("runs")
    .values({
      ...start,
      totals,
      run: run.run,
      name: run.name,
      spec: JSON.stringify(run.spec),
      created_at: run.createdAt,
      started_at: null,
      ended_at: null,
    })
    .execute();
}

export async function findRun(tables: Kysely<Tables>, run: RunId): Promise<StoredRun | undefined> {
  const row = await tables.selectFrom("runs").selectAll().where("run", "=", run).executeTakeFirst();
  return row && storedRun(row);
}

/** The run, or `not_found`. */
export async function requireRun(tables: Kysely<Tables>, run: RunId): Promise<StoredRun> {
  const found = await findRun(tables, run);
  if (!found) throw new ProtocolError("not_found", `there is no run ${run}`);
  return found;
}

export async function allRuns(tables: Kysely<Tables>): Promise<StoredRun[]> {
  const rows = await tables.selectFrom("runs").selectAll().orderBy("created_at").orderBy("run").execute();
  return rows.map(storedRun);
}

/** Replaces the run's state; `reached` moves its round and model version with it. */
export async function updateRun(
  tables: Kysely<Tables>,
  run: RunId,
  change: { readonly state: RunState; readonly reached?: { readonly round: number; readonly modelVersion: number } },
): Promise<void> {
  const { state, reached } = change;
  const result = await tables
    .updateTable("runs")
    .set({
      phase: state.phase,
      reason: state.reason ?? null,
      problem: state.problem === undefined ? null : JSON.stringify(state.problem),
      // JSON has no `undefined`; `null` is what a machine that saved nothing finds.
      progress: JSON.stringify(state.progress ?? null),
      ...(state.metrics && { metrics: JSON.stringify(state.metrics) }),
      ...(state.totals && { totals: JSON.stringify(state.totals) }),
      ...(state.startedAt !== undefined && { started_at: state.startedAt }),
      ...(state.endedAt !== undefined && { ended_at: state.endedAt }),
      ...(reached && { round: reached.round, model_version: reached.modelVersion }),
    })
    .where("run", "=", run)
    .executeTakeFirst();
  if (result.numUpdatedRows === 0n) throw new ProtocolError("not_found", `there is no run ${run}`);
}

export async function saveProblem(tables: Kysely<Tables>, run: RunId, problem: RunProblem): Promise<void> {
  await tables
    .updateTable("runs")
    .set({ problem: JSON.stringify(problem) })
    .where("run", "=", run)
    .execute();
}

function storedRun(row: Selectable<Tables["runs"]>): StoredRun {
  const record: RunRecord = {
    run: row.run as RunId,
    name: row.name,
    phase: row.phase as RunRecord["phase"],
    round: row.round,
    modelVersion: row.model_version,
    metrics: JSON.parse(row.metrics) as RunRecord["metrics"],
    totals: JSON.parse(row.totals) as RunTotals,
    createdAt: row.created_at,
    spec: JSON.parse(row.spec) as unknown,
    ...(row.reason !== null && { reason: row.reason }),
    ...(row.problem !== null && { problem: JSON.parse(row.problem) as RunProblem }),
    ...(row.started_at !== null && { startedAt: row.started_at }),
    ...(row.ended_at !== null && { endedAt: row.ended_at }),
  };
  return { record, progress: JSON.parse(row.progress) as unknown };
}

import { ProtocolError, type RoundRecord, type RoundSummary, type RunId, summaryOf } from "@tributary/protocol";
import type { Kysely, Selectable } from "kysely";
import { insertModel } from "./sql-models.ts";
import { requireRun } from "./sql-runs.ts";
import type { RoundCommit, RoundEvaluation } from "./store.ts";
import type { Tables } from "./tables.ts";
import { thinned } from "./thinning.ts";

export async function insertAttempt(
  tables: Kysely<Tables>,
  run: RunId,
  begun: { readonly round: number; readonly attempt: number },
): Promise<void> {
  const { round, attempt } = begun;
  const committed = (await requireRun(tables, run)).record.round;
  if (round !== committed && round !== committed + 1) {
    throw new ProtocolError(
      "wrong_round",
      `round ${round} of ${run} cannot begin: the last one committed is ${committed}`,
    );
  }
  const last = await greatestAttempt(tables, run, round);
  if (attempt <= last) {
    throw new ProtocolError(
      "wrong_round",
      `attempt ${attempt} of round ${round} was begun before; the last is ${last}`,
    );
  }
  await tables.insertInto("attempts").values({ run, round, attempt }).execute();
}

/** Writes that an attempt is about to ask clients, unless that was written. */
export async function ensureAttempt(
  tables: Kysely<Tables>,
  run: RunId,
  begins: { readonly round: number; readonly attempt: number } | undefined,
): Promise<void> {
  if (begins === undefined || (await greatestAttempt(tables, run, begins.round)) >= begins.attempt) return;
  await insertAttempt(tables, run, begins);
}

export async function greatestAttempt(tables: Kysely<Tables>, run: RunId, round: number): Promise<number> {
  const row = await tables
    .selectFrom("attempts")
    .select(({ fn }) => fn.max("attempt").as("last"))
    .where("run", "=", run)
    .where("round", "=", round)
    .executeTakeFirst();
  return row?.last ?? 0;
}

/** The round's record and its model. */
export async function insertRound(tables: Kysely<Tables>, commit: RoundCommit): Promise<void> {
  const { record, model, checkpoint } = commit;
  requireAgreement(commit);
  await requireNextRound(tables, record.run, record.round);
  const begun = await greatestAttempt(tables, record.run, record.round);
  if (record.attempt !== begun) {
    throw new ProtocolError(
      "wrong_round",
      `attempt ${record.attempt} of round ${record.round} cannot be committed: the last one begun is ${begun}`,
    );
  }
  const summary = JSON.stringify(summaryOf(record));
  await tables
    .insertInto("rounds")
    .values({ run: record.run, round: record.round, record: JSON.stringify(record), evaluation: null, summary })
    .execute();
  await insertModel(tables, model, checkpoint);
}

/** Adds the evaluation to the round, and gives the round's record with it. */
export async function updateEvaluation(tables: Kysely<Tables>, evaluation: RoundEvaluation): Promise<RoundRecord> {
  const { run, round, metrics, seconds, judging } = evaluation;
  await tables
    .updateTable("rounds")
    .set({ evaluation: JSON.stringify({ metrics, seconds, judging }) })
    .where("run", "=", run)
    .where("round", "=", round)
    .execute();
  const record = await findRound(tables, run, round);
  if (!record) throw new ProtocolError("not_found", `run ${run} has no committed round ${round}`);
  return record;
}

export async function findRound(tables: Kysely<Tables>, run: RunId, round: number): Promise<RoundRecord | undefined> {
  const query = tables.selectFrom("rounds").selectAll().where("run", "=", run).where("round", "=", round);
  const row = await query.executeTakeFirst();
  return row && roundRecord(row);
}

export async function pageOfRounds(
  tables: Kysely<Tables>,
  run: RunId,
  page: { readonly after?: number; readonly limit?: number },
): Promise<RoundRecord[]> {
  const query = tables
    .selectFrom("rounds")
    .selectAll()
    .where("run", "=", run)
    .where("round", ">", page.after ?? 0)
    .orderBy("round");
  const rows = await (page.limit === undefined ? query : query.limit(page.limit)).execute();
  return rows.map(roundRecord);
}

/** Rounds' figures after round `after` and before `before`; of more than `points` rounds those that `thinned` names. */
export async function thinnedRounds(
  tables: Kysely<Tables>,
  run: RunId,
  page: { readonly after: number; readonly before?: number; readonly points: number },
): Promise<RoundSummary[]> {
  const { round: last } = (await requireRun(tables, run)).record;
  const newest = Math.min(last, (page.before ?? Number.POSITIVE_INFINITY) - 1);
  const all = tables
    .selectFrom("rounds")
    .where("run", "=", run)
    .where("round", ">", page.after)
    .where("round", "<=", newest)
    .orderBy("round");
  const isThinned = newest - page.after > page.points;
  const judgedRounds = isThinned ? await all.select("round").where("evaluation", "is not", null).execute() : [];
  const chosen = thinned(
    { ...page, newest },
    judgedRounds.map(({ round }) => round),
  );
  const rows = await (isThinned ? all.where("round", "in", chosen) : all)
    // A record with its members is read only where there is no summary of it.
    .select(({ fn, ref }) => [fn.coalesce(ref("summary"), ref("record")).as("figures"), "evaluation"])
    .execute();
  return rows.map(({ figures, evaluation }) => {
    const found = JSON.parse(figures) as RoundSummary | RoundRecord;
    return judged("cohort" in found ? summaryOf(found) : found, evaluation);
  });
}

async function requireNextRound(tables: Kysely<Tables>, run: RunId, round: number): Promise<void> {
  const committed = (await requireRun(tables, run)).record.round;
  if (round === committed + 1) return;
  const found = round <= committed ? "is committed already" : "is not the next one";
  throw new ProtocolError("wrong_round", `round ${round} of ${run} ${found}: the last committed round is ${committed}`);
}

function requireAgreement({ record, model }: RoundCommit): void {
  const agrees =
    record.evaluation === undefined &&
    model.run === record.run &&
    model.round === record.round &&
    model.version === record.modelVersion &&
    model.sha256 === record.modelSha256;
  if (!agrees) throw new Error(`round ${record.round} of ${record.run} and its model do not describe the same commit`);
}

function roundRecord(row: Selectable<Tables["rounds"]>): RoundRecord {
  return judged(JSON.parse(row.record) as RoundRecord, row.evaluation);
}

function judged<Record extends RoundRecord | RoundSummary>(record: Record, evaluation: string | null): Record {
  if (evaluation === null) return record;
  const kept = JSON.parse(evaluation) as Pick<RoundEvaluation, "metrics" | "seconds" | "judging">;
  const { metrics, seconds, judging } = kept;
  const evaluating = record.seconds.evaluating + seconds;
  const traffic = judging === undefined ? {} : { judging };
  return { ...record, ...traffic, evaluation: metrics, seconds: { ...record.seconds, evaluating } };
}

import type { AttemptTimeline, RunId } from "@tributary/protocol";
import type { Kysely } from "kysely";
import { addToEach } from "./sql-clients.ts";
import type { AttemptEnd } from "./store.ts";
import type { Tables } from "./tables.ts";

/** How many rounds of a run keep their timelines: the newest ones. */
const timelinesKept = 1_000;

/** The attempt's timeline (the first, should it end twice), and one more for everyone it asked and everyone who answered. */
export async function insertAttemptEnd(tables: Kysely<Tables>, end: AttemptEnd): Promise<void> {
  const { run, round, timeline } = end;
  await tables
    .insertInto("timelines")
    .values({ run, round, attempt: timeline.attempt, body: JSON.stringify(timeline) })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  await tables
    .deleteFrom("timelines")
    .where("run", "=", run)
    .where("round", "<=", round - timelinesKept)
    .execute();
  await addToEach(tables, "asked", end.asked);
  await addToEach(tables, "answered", end.answered);
}

export async function timelinesOf(tables: Kysely<Tables>, run: RunId, round: number): Promise<AttemptTimeline[]> {
  const rows = await tables
    .selectFrom("timelines")
    .select("body")
    .where("run", "=", run)
    .where("round", "=", round)
    .orderBy("attempt")
    .execute();
  return rows.map(({ body }) => JSON.parse(body) as AttemptTimeline);
}

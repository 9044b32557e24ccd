import type { AttemptTimeline, RunId } from "@tributary/protocol";
import type { Kysely } from "kysely";
import { addToEach } from "./sql-clients.ts";
import type { AttemptEnd } from "./store.ts";
import type { Tables } from "./tables.ts";

/** How many rounds of a run keep their timelines: the newest ones. */
const timelinesKept = 1_000;
/** How many attempts of one round: a run that never finds enough clients tries for months. */
const attemptsKept = 1_000;

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
  await tables
    .deleteFrom("timelines")
    .where("run", "=", run)
    .where("round", "=", round)
    .where("attempt", "<=", timeline.attempt - attemptsKept)
    .execute();
  await addToEach(tables, "asked", end.asked);
  await addToEach(tables, "answered", end.answered);
}

/** The newest `limit` of a round's attempts before attempt `before`, in their order, and how many it has in all. */
export async function timelinesOf(
  tables: Kysely<Tables>,
  at: { readonly run: RunId; readonly round: number },
  page: { readonly before?: number; readonly limit: number },
): Promise<{ known: number; attempts: AttemptTimeline[] }> {
  const all = tables.selectFrom("timelines").where("run", "=", at.run).where("round", "=", at.round);
  const count = await all.select(({ fn }) => fn.countAll().as("known")).executeTakeFirstOrThrow();
  const older = page.before === undefined ? all : all.where("attempt", "<", page.before);
  const rows = await older.select("body").orderBy("attempt", "desc").limit(page.limit).execute();
  const attempts = rows.map(({ body }) => JSON.parse(body) as AttemptTimeline).reverse();
  return { known: Number(count.known), attempts };
}

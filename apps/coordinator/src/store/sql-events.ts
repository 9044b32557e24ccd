import type { FederationEvent, RunId, UnnumberedEvent } from "@tributary/protocol";
import { type Kysely, sql, type Transaction } from "kysely";
import type { Tables } from "./tables.ts";

/** How many events are kept: the newest ones, whatever their run. */
const eventsKept = 100_000;
const prunedEvery = 1_000;

/**
 * Appends events under the next numbers, without gaps, and gives them with these. Prunes the oldest now and then; the
 * newest always stays, so that no number is ever given twice.
 */
export async function appendEvents(
  tables: Transaction<Tables>,
  events: readonly UnnumberedEvent[],
): Promise<FederationEvent[]> {
  if (events.length === 0) return [];
  const before = (await eventRange(tables)).newest;
  const numbered = events.map((event, index) => ({ ...event, id: before + 1 + index }) as FederationEvent);
  for (let from = 0; from < numbered.length; from += 200) {
    const rows = numbered.slice(from, from + 200).map(({ id, run, ...event }) => {
      return { id, run, body: JSON.stringify(event) };
    });
    await tables.insertInto("events").values(rows).execute();
  }
  const newest = before + events.length;
  if (Math.floor(newest / prunedEvery) !== Math.floor(before / prunedEvery)) {
    await tables
      .deleteFrom("events")
      .where("id", "<=", newest - eventsKept)
      .execute();
  }
  return numbered;
}

/** What a page of events may hold, of characters of JSON: a round of ten thousand clients alone is half a million. */
const pageCharacters = 1_000_000;

/**
 * Events after number `after`, in order, at most `limit`, and fewer where they are large, but never none while there are
 * any; of one run, or of all.
 */
export async function pageOfEvents(
  tables: Kysely<Tables>,
  page: { readonly after: number; readonly limit: number; readonly run?: RunId },
): Promise<FederationEvent[]> {
  const { after, limit, run } = page;
  const all = tables.selectFrom("events").where("id", ">", after).orderBy("id").limit(limit);
  const wanted = run === undefined ? all : all.where("run", "=", run);
  const sizes = await wanted.select(["id", sql<number>`length(body)`.as("characters")]).execute();
  let characters = 0;
  const past = sizes.findIndex((row) => {
    characters += row.characters;
    return characters > pageCharacters;
  });
  const rows = await wanted
    .selectAll()
    .limit(past < 0 ? sizes.length : Math.max(1, past))
    .execute();
  return rows.map(({ id, run, body }) => ({ ...(JSON.parse(body) as object), id, run }) as FederationEvent);
}

/** The numbers of the oldest and newest event kept; 1 and 0 where there is none. */
export async function eventRange(tables: Kysely<Tables>): Promise<{ oldest: number; newest: number }> {
  const row = await tables
    .selectFrom("events")
    .select(({ fn }) => [fn.min("id").as("oldest"), fn.max("id").as("newest")])
    .executeTakeFirst();
  return { oldest: row?.oldest ?? 1, newest: row?.newest ?? 0 };
}

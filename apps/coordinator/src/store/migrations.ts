import type { RoundRecord, RunTotals } from "@tributary/protocol";
import { type Kysely, sql, type Transaction } from "kysely";
import { noTotals, withJudgement, withRound } from "../run-totals.ts";
import type { RoundEvaluation } from "./store.ts";
import type { Tables } from "./tables.ts";

/** Each entry takes the schema one version further. Entries are never changed once released, only added. */
const migrations: readonly ((tables: Transaction<Tables>) => Promise<void>)[] = [
  firstTables,
  eventsAndRollbacks,
  deviceKeys,
  timelines,
  capabilities,
  judgedRounds,
  runTotals,
  problems,
];

/** The schema version that this code reads and writes. */
export const schemaVersion = migrations.length;

/** The database was written by a newer Tributary than this one; nothing in it was touched. */
class NewerSchema extends Error {
  constructor(found: number, place: string) {
    super(
      `${place} has schema version ${found}; this Tributary knows versions up to ${schemaVersion}. ` +
        "Start the newer Tributary that wrote it, or name another data folder.",
    );
    this.name = "NewerSchema";
  }
}

/** Brings the database to `schemaVersion`, each version in its own transaction. `place` names it in errors. */
export async function migrate(database: Kysely<Tables>, place: string): Promise<void> {
  await database.schema
    .createTable("meta")
    .ifNotExists()
    .addColumn("key", "text", (column) => column.primaryKey())
    .addColumn("value", "text", (column) => column.notNull())
    .execute();
  const row = await database.selectFrom("meta").select("value").where("key", "=", "schema_version").executeTakeFirst();
  const found = row === undefined ? 0 : Number(row.value);
  if (found > schemaVersion) throw new NewerSchema(found, place);
  for (const [index, migration] of migrations.entries()) {
    if (index < found) continue;
    await database.transaction().execute(async (tables) => {
      await migration(tables);
      await tables
        .insertInto("meta")
        .values({ key: "schema_version", value: String(index + 1) })
        .onConflict((conflict) => conflict.column("key").doUpdateSet({ value: String(index + 1) }))
        .execute();
    });
  }
}

async function firstTables({ schema }: Transaction<Tables>): Promise<void> {
  await schema
    .createTable("runs")
    .addColumn("run", "text", (column) => column.primaryKey())
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("spec", "text", (column) => column.notNull())
    .addColumn("phase", "text", (column) => column.notNull())
    .addColumn("reason", "text")
    .addColumn("progress", "text", (column) => column.notNull())
    .addColumn("round", "integer", (column) => column.notNull())
    .addColumn("model_version", "integer", (column) => column.notNull())
    .addColumn("metrics", "text", (column) => column.notNull())
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .addColumn("started_at", "bigint")
    .addColumn("ended_at", "bigint")
    .execute();
  await schema
    .createTable("attempts")
    .addColumn("run", "text", (column) => column.notNull().references("runs.run"))
    .addColumn("round", "integer", (column) => column.notNull())
    .addColumn("attempt", "integer", (column) => column.notNull())
    .addPrimaryKeyConstraint("attempts_key", ["run", "round", "attempt"])
    .execute();
  await schema
    .createTable("models")
    .addColumn("run", "text", (column) => column.notNull().references("runs.run"))
    .addColumn("version", "integer", (column) => column.notNull())
    .addColumn("round", "integer", (column) => column.notNull())
    .addColumn("sha256", "text", (column) => column.notNull())
    .addColumn("bytes", "bigint", (column) => column.notNull())
    .addColumn("parameters", "bigint", (column) => column.notNull())
    .addColumn("metrics", "text", (column) => column.notNull())
    .addColumn("checkpoint", "text", (column) => column.notNull())
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .addPrimaryKeyConstraint("models_key", ["run", "version"])
    .execute();
  await schema
    .createTable("rounds")
    .addColumn("run", "text", (column) => column.notNull().references("runs.run"))
    .addColumn("round", "integer", (column) => column.notNull())
    .addColumn("record", "text", (column) => column.notNull())
    .addColumn("evaluation", "text")
    .addPrimaryKeyConstraint("rounds_key", ["run", "round"])
    .execute();
  await schema
    .createTable("clients")
    .addColumn("client", "text", (column) => column.primaryKey())
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("tags", "text", (column) => column.notNull())
    .addColumn("engine", "text", (column) => column.notNull())
    .addColumn("token_hash", "text", (column) => column.notNull().unique())
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .addColumn("last_seen_at", "bigint", (column) => column.notNull())
    .addColumn("contributions", "integer", (column) => column.notNull().defaultTo(0))
    .addColumn("revoked", "integer", (column) => column.notNull().defaultTo(0))
    .execute();
}

async function eventsAndRollbacks({ schema }: Transaction<Tables>): Promise<void> {
  await schema
    .createTable("events")
    .addColumn("id", "bigint", (column) => column.primaryKey())
    .addColumn("run", "text", (column) => column.notNull())
    .addColumn("body", "text", (column) => column.notNull())
    .execute();
  await schema.createIndex("events_of_run").on("events").columns(["run", "id"]).execute();
  await schema.alterTable("models").addColumn("restored_from", "integer").execute();
}

/** Devices from before have no key and an expired session: they enrol anew, and are other clients from then on. */
async function deviceKeys({ schema }: Transaction<Tables>): Promise<void> {
  await schema
    .alterTable("clients")
    .addColumn("public_key", "text", (column) => column.notNull().defaultTo(""))
    .execute();
  await schema
    .alterTable("clients")
    .addColumn("token_expires_at", "bigint", (column) => column.notNull().defaultTo(0))
    .execute();
}

/** When which client did what, how often each was asked, and rounds' figures apart from their members. */
async function timelines({ schema }: Transaction<Tables>): Promise<void> {
  await schema
    .createTable("timelines")
    .addColumn("run", "text", (column) => column.notNull().references("runs.run"))
    .addColumn("round", "integer", (column) => column.notNull())
    .addColumn("attempt", "integer", (column) => column.notNull())
    .addColumn("body", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("timelines_key", ["run", "round", "attempt"])
    .execute();
  await schema.alterTable("rounds").addColumn("summary", "text").execute();
  await schema
    .alterTable("clients")
    .addColumn("asked", "integer", (column) => column.notNull().defaultTo(0))
    .execute();
  await schema
    .alterTable("clients")
    .addColumn("answered", "integer", (column) => column.notNull().defaultTo(0))
    .execute();
}

/** Devices from before say what they can do when they enrol anew. */
async function capabilities({ schema }: Transaction<Tables>): Promise<void> {
  await schema.alterTable("clients").addColumn("capabilities", "text").execute();
}

/** Finds the judged ones of many rounds without a look at the rounds themselves, whose records are large. */
async function judgedRounds({ schema }: Transaction<Tables>): Promise<void> {
  await schema
    .createIndex("judged_rounds")
    .on("rounds")
    .columns(["run", "round"])
    .where(sql.ref("evaluation"), "is not", null)
    .execute();
}

/** What each run has moved and how long it took, so far to be had only by reading all of its rounds. */
async function runTotals(tables: Transaction<Tables>): Promise<void> {
  await tables.schema
    .alterTable("runs")
    .addColumn("totals", "text", (column) => column.notNull().defaultTo(JSON.stringify(noTotals)))
    .execute();
  for (const { run } of await tables.selectFrom("runs").select("run").execute()) {
    const totals = JSON.stringify(await totalsOf(tables, run));
    await tables.updateTable("runs").set({ totals }).where("run", "=", run).execute();
  }
}

async function totalsOf(tables: Transaction<Tables>, run: string): Promise<RunTotals> {
  const page = 100;
  const rounds = tables.selectFrom("rounds").select(["round", "evaluation"]).where("run", "=", run).orderBy("round");
  let totals = noTotals;
  for (let after = 0; ; ) {
    const rows = await rounds
      .select(({ fn, ref }) => fn.coalesce(ref("summary"), ref("record")).as("figures"))
      .where("round", ">", after)
      .limit(page)
      .execute();
    for (const { figures, evaluation } of rows) {
      totals = withRound(totals, JSON.parse(figures) as RoundRecord);
      if (evaluation !== null) totals = withJudgement(totals, JSON.parse(evaluation) as RoundEvaluation);
    }
    if (rows.length < page) return totals;
    after = rows.at(-1)!.round;
  }
}

async function problems({ schema }: Transaction<Tables>): Promise<void> {
  await schema.alterTable("runs").addColumn("problem", "text").execute();
}

import { isBuiltin } from "node:module";
import { ProtocolError } from "@tributary/protocol";
import { Kysely } from "kysely";
import { migrate } from "./migrations.ts";
import { sqlStore } from "./sql-store.ts";
import { type SqliteDatabase, sqliteDialect } from "./sqlite-dialect.ts";
import type { Store } from "./store.ts";
import type { Tables } from "./tables.ts";

/** The database file is not what SQLite wrote. It was left as it is. */
class DamagedDatabase extends Error {
  constructor(file: string, cause: unknown) {
    const found = cause instanceof Error ? cause.message : String(cause);
    super(
      `the database ${file} is damaged (${found}). Nothing was changed. Put back a copy of the whole data folder, ` +
        `or keep what can be read with: sqlite3 ${file} .recover > recovered.sql`,
      { cause },
    );
    this.name = "DamagedDatabase";
  }
}

/**
 * The Store in the SQLite file `file`, made if it is missing. A write is on disk when its promise resolves. Throws
 * DamagedDatabase or NewerSchema without changing what the file says (SQLite may fold in the log that a killed process
 * left); a full disk refuses with `storage_full`, and later writes work once there is space. One process at a time: take
 * the folder's lock first.
 */
export async function openSqliteStore(file: string): Promise<Store> {
  const explain = (error: unknown) => explained(error, file);
  const database = await openSqlite(file);
  try {
    // WAL with FULL syncs the log at every commit: a commit survives loss of power, and readers never wait.
    database.exec("pragma busy_timeout = 5000");
    checkPages(database, file);
    database.exec("pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on");
    const tables = new Kysely<Tables>({ dialect: sqliteDialect(database, explain) });
    await migrate(tables, `the database ${file}`);
    return sqlStore(tables);
  } catch (error) {
    database.close();
    throw explain(error);
  }
}

/** Opens a SQLite file with Node's own SQLite where there is one without a flag, otherwise with the package. */
export async function openSqlite(file: string): Promise<SqliteDatabase> {
  const own = "node:sqlite";
  const library: unknown = await (isBuiltin(own) ? import(own) : import("@photostructure/sqlite"));
  const { DatabaseSync } = library as { DatabaseSync: new (file: string) => SqliteDatabase };
  return new DatabaseSync(file);
}

/** SQLite's primary result code of an error; 0 for errors that are not SQLite's. */
export function sqliteCode(error: unknown): number {
  const code = error instanceof Error && "errcode" in error ? error.errcode : 0;
  return typeof code === "number" ? code & 0xff : 0;
}

// https://www.sqlite.org/rescode.html
const full = 13;
const corrupt = 11;
const notADatabase = 26;

function explained(error: unknown, file: string): unknown {
  switch (sqliteCode(error)) {
    case full:
      return new ProtocolError("storage_full", `the disk with ${file} is full: free some space; nothing is lost`, {
        cause: error,
      });
    case corrupt:
    case notADatabase:
      return new DamagedDatabase(file, error);
    default:
      return error;
  }
}

function checkPages(database: SqliteDatabase, file: string): void {
  const [first] = database.prepare("pragma quick_check(1)").all() as { quick_check: string }[];
  if (first?.quick_check !== "ok") throw new DamagedDatabase(file, first?.quick_check);
}

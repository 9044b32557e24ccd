import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SelectQueryNode,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";

/** The part of `node:sqlite` that is used here; `@photostructure/sqlite` has it too. */
export interface SqliteDatabase {
  prepare(sql: string): SqliteStatement;
  exec(sql: string): void;
  close(): void;
}

interface SqliteStatement {
  all(...parameters: unknown[]): unknown[];
  run(...parameters: unknown[]): { changes: number | bigint };
}

/**
 * Kysely over one synchronous SQLite connection. Queries and transactions wait for the transaction before them to end.
 * `explain` turns what SQLite throws into what the caller should see.
 */
export function sqliteDialect(database: SqliteDatabase, explain: (error: unknown) => unknown): Dialect {
  return {
    createDriver: () => new SqliteDriver(database, explain),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createAdapter: () => new SqliteAdapter(),
    createIntrospector: (tables) => new SqliteIntrospector(tables),
  };
}

class SqliteDriver implements Driver {
  readonly #database: SqliteDatabase;
  readonly #connection: SqliteConnection;
  readonly #waiting: (() => void)[] = [];
  #taken = false;

  constructor(database: SqliteDatabase, explain: (error: unknown) => unknown) {
    this.#database = database;
    this.#connection = new SqliteConnection(database, explain);
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    if (this.#taken) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#taken = true;
    return this.#connection;
  }

  async releaseConnection(): Promise<void> {
    // The connection passes straight to the next in line, so that nobody who comes later can overtake it.
    const next = this.#waiting.shift();
    if (next) next();
    else this.#taken = false;
  }

  async beginTransaction(): Promise<void> {
    this.#connection.execute("begin immediate");
  }

  async commitTransaction(): Promise<void> {
    this.#connection.execute("commit");
  }

  async rollbackTransaction(): Promise<void> {
    try {
      this.#database.exec("rollback");
    } catch (error) {
      // SQLite has rolled back by itself where the disk was full; the first error is the one to show.
      if (!(error instanceof Error && error.message.includes("no transaction is active"))) throw error;
    }
  }

  async destroy(): Promise<void> {
    // SQLite does this by itself at the last close, but the package's statements hold the connection until they are
    // garbage.
    try {
      this.#connection.execute("pragma wal_checkpoint(truncate)");
    } finally {
      this.#database.close();
    }
  }
}

class SqliteConnection implements DatabaseConnection {
  readonly #database: SqliteDatabase;
  readonly #explain: (error: unknown) => unknown;
  readonly #statements = new Map<string, SqliteStatement>();

  constructor(database: SqliteDatabase, explain: (error: unknown) => unknown) {
    this.#database = database;
    this.#explain = explain;
  }

  async executeQuery<Row>({ sql, parameters, query }: CompiledQuery): Promise<QueryResult<Row>> {
    const returning = "returning" in query && query.returning !== undefined;
    try {
      const statement = this.#prepare(sql);
      if (SelectQueryNode.is(query) || returning) return { rows: statement.all(...parameters) as Row[] };
      return { rows: [], numAffectedRows: BigInt(statement.run(...parameters).changes) };
    } catch (error) {
      throw this.#explain(error);
    }
  }

  // biome-ignore lint/correctness/useYield: Kysely asks for this method; nothing here streams.
  async *streamQuery<Row>(): AsyncIterableIterator<QueryResult<Row>> {
    throw new Error("this store does not stream queries");
  }

  execute(sql: string): void {
    try {
      this.#database.exec(sql);
    } catch (error) {
      throw this.#explain(error);
    }
  }

  #prepare(sql: string): SqliteStatement {
    const known = this.#statements.get(sql);
    if (known) return known;
    const statement = this.#database.prepare(sql);
    // Lists of clients make statements of many lengths; starting afresh now and then bounds what is kept.
    if (this.#statements.size >= 200) this.#statements.clear();
    this.#statements.set(sql, statement);
    return statement;
  }
}

import { type ClientId, ProtocolError } from "@tributary/protocol";
import type { Kysely, Selectable } from "kysely";
import type { Enrolment, StoredClient } from "./store.ts";
import type { Tables } from "./tables.ts";

/** Databases limit the parameters of one statement; SQLite's smallest usual limit is 999. */
const clientsPerStatement = 500;

export async function insertClient(tables: Kysely<Tables>, enrolment: Enrolment): Promise<void> {
  const { client, tokenHash } = enrolment;
  const known = await tables.selectFrom("clients").select("token_hash").where("client", "=", client).executeTakeFirst();
  if (known && known.token_hash !== tokenHash) {
    throw new ProtocolError("forbidden", `client ${client} is enrolled already, with another token`);
  }
  if (known) return;
  await tables
    .insertInto("clients")
    .values({
      client,
      name: enrolment.name,
      tags: JSON.stringify(enrolment.tags),
      engine: enrolment.engine,
      token_hash: tokenHash,
      created_at: enrolment.createdAt,
      last_seen_at: enrolment.createdAt,
    })
    .execute();
}

export async function findClient(
  tables: Kysely<Tables>,
  by: { readonly column: "client" | "token_hash"; readonly value: string },
): Promise<StoredClient | undefined> {
  const row = await tables.selectFrom("clients").selectAll().where(by.column, "=", by.value).executeTakeFirst();
  return row && storedClient(row);
}

export async function allClients(tables: Kysely<Tables>): Promise<StoredClient[]> {
  const rows = await tables.selectFrom("clients").selectAll().orderBy("created_at").orderBy("client").execute();
  return rows.map(storedClient);
}

export async function markRevoked(tables: Kysely<Tables>, client: ClientId): Promise<void> {
  const result = await tables
    .updateTable("clients")
    .set({ revoked: 1 })
    .where("client", "=", client)
    .executeTakeFirst();
  if (result.numUpdatedRows === 0n) throw new ProtocolError("not_found", `there is no client ${client}`);
}

export async function saveLastSeen(tables: Kysely<Tables>, client: ClientId, at: number): Promise<void> {
  await tables.updateTable("clients").set({ last_seen_at: at }).where("client", "=", client).execute();
}

/** One contribution more for each of these clients. */
export async function addContributions(tables: Kysely<Tables>, clients: readonly ClientId[]): Promise<void> {
  for (let from = 0; from < clients.length; from += clientsPerStatement) {
    await tables
      .updateTable("clients")
      .set(({ eb }) => ({ contributions: eb("contributions", "+", 1) }))
      .where("client", "in", clients.slice(from, from + clientsPerStatement))
      .execute();
  }
}

function storedClient(row: Selectable<Tables["clients"]>): StoredClient {
  return {
    client: row.client as ClientId,
    name: row.name,
    tags: JSON.parse(row.tags) as string[],
    engine: row.engine,
    createdAt: row.created_at,
    lastSeenAt: row.last_seen_at,
    contributions: row.contributions,
    revoked: row.revoked === 1,
  };
}

import { type Capabilities, type ClientId, ProtocolError } from "@tributary/protocol";
import type { Kysely, Selectable } from "kysely";
import type { KeptSession } from "./recent-sessions.ts";
import type { Enrolment, SessionToken, StoredClient } from "./store.ts";
import type { Tables } from "./tables.ts";

/** Databases limit the parameters of one statement; SQLite's smallest usual limit is 999. */
const clientsPerStatement = 500;

export async function insertClient(tables: Kysely<Tables>, enrolment: Enrolment): Promise<void> {
  const { client, publicKey } = enrolment;
  const described = {
    name: enrolment.name,
    tags: JSON.stringify(enrolment.tags),
    engine: enrolment.engine,
    capabilities: enrolment.capabilities === undefined ? null : JSON.stringify(enrolment.capabilities),
    token_hash: enrolment.tokenHash,
    token_expires_at: enrolment.tokenExpiresAt,
  };
  const known = await tables
    .selectFrom("clients")
    .select(["public_key", "revoked"])
    .where("client", "=", client)
    .executeTakeFirst();
  if (known === undefined) {
    const { createdAt } = enrolment;
    const added = { client, ...described, public_key: publicKey, created_at: createdAt, last_seen_at: createdAt };
    await tables.insertInto("clients").values(added).execute();
    return;
  }
  requireNotRevoked(client, known);
  if (known.public_key !== publicKey) throw new ProtocolError("forbidden", `client ${client} has another key`);
  await tables.updateTable("clients").set(described).where("client", "=", client).execute();
}

export async function updateSession(tables: Kysely<Tables>, client: ClientId, session: SessionToken): Promise<void> {
  const known = await tables.selectFrom("clients").select("revoked").where("client", "=", client).executeTakeFirst();
  if (known === undefined) throw new ProtocolError("not_found", `there is no client ${client}`);
  requireNotRevoked(client, known);
  await tables
    .updateTable("clients")
    .set({ token_hash: session.tokenHash, token_expires_at: session.tokenExpiresAt })
    .where("client", "=", client)
    .execute();
}

function requireNotRevoked(client: ClientId, { revoked }: { readonly revoked: number }): void {
  if (revoked === 1) throw new ProtocolError("forbidden", `the operator revoked ${client}`);
}

export async function findClient(tables: Kysely<Tables>, client: ClientId): Promise<StoredClient | undefined> {
  const row = await tables.selectFrom("clients").selectAll().where("client", "=", client).executeTakeFirst();
  return row && storedClient(row);
}

export async function findSession(tables: Kysely<Tables>, tokenHash: string): Promise<KeptSession | undefined> {
  const row = await tables
    .selectFrom("clients")
    .select(["client", "revoked", "token_expires_at"])
    .where("token_hash", "=", tokenHash)
    .executeTakeFirst();
  return row && { client: row.client as ClientId, revoked: row.revoked === 1, expiresAt: row.token_expires_at };
}

export async function findByToken(
  tables: Kysely<Tables>,
  tokenHash: string,
  at: number,
): Promise<StoredClient | undefined> {
  const row = await tables
    .selectFrom("clients")
    .selectAll()
    .where("token_hash", "=", tokenHash)
    .where("token_expires_at", ">", at)
    .executeTakeFirst();
  return row && storedClient(row);
}

export async function allClients(tables: Kysely<Tables>): Promise<StoredClient[]> {
  const rows = await tables.selectFrom("clients").selectAll().orderBy("created_at").orderBy("client").execute();
  return rows.map(storedClient);
}

/** What the known ones of these clients are called. */
export async function namesOf(
  tables: Kysely<Tables>,
  clients: readonly ClientId[],
): Promise<ReadonlyMap<ClientId, string>> {
  const names = new Map<ClientId, string>();
  for (let from = 0; from < clients.length; from += clientsPerStatement) {
    const some = clients.slice(from, from + clientsPerStatement);
    const rows = await tables.selectFrom("clients").select(["client", "name"]).where("client", "in", some).execute();
    for (const { client, name } of rows) names.set(client as ClientId, name);
  }
  return names;
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

/** One more for each of these clients in the column that counts it. */
export async function addToEach(
  tables: Kysely<Tables>,
  column: "contributions" | "asked" | "answered",
  clients: readonly ClientId[],
): Promise<void> {
  for (let from = 0; from < clients.length; from += clientsPerStatement) {
    await tables
      .updateTable("clients")
      .set(({ eb }) => ({ [column]: eb(column, "+", 1) }))
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
    ...(row.capabilities === null ? {} : { capabilities: JSON.parse(row.capabilities) as Capabilities }),
    publicKey: row.public_key,
    createdAt: row.created_at,
    lastSeenAt: row.last_seen_at,
    contributions: row.contributions,
    asked: row.asked,
    answered: row.answered,
    revoked: row.revoked === 1,
  };
}

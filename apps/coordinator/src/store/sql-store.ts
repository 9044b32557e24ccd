import { type ClientId, ProtocolError, type RunId } from "@tributary/protocol";
import type { Kysely, Transaction } from "kysely";
import * as clients from "./sql-clients.ts";
import * as models from "./sql-models.ts";
import * as rounds from "./sql-rounds.ts";
import * as runs from "./sql-runs.ts";
import type { Store, StoredClient } from "./store.ts";
import type { Tables } from "./tables.ts";

/** The Store over any database that Kysely speaks to; owns `database`, whose schema is up to date, and closes it. */
export function sqlStore(database: Kysely<Tables>): Store {
  const seen = new Map<ClientId, number>();

  async function change(write: (tables: Transaction<Tables>) => Promise<void>): Promise<void> {
    const pending = new Map(seen);
    await database.transaction().execute(async (tables) => {
      for (const [client, at] of pending) await clients.saveLastSeen(tables, client, at);
      await write(tables);
    });
    for (const [client, at] of pending) if (seen.get(client) === at) seen.delete(client);
  }

  function withLastSeen<Found extends StoredClient | undefined>(client: Found): Found {
    const at = client && seen.get(client.client);
    return at === undefined ? client : { ...client, lastSeenAt: at };
  }

  return {
    createRun: (run) => change((tables) => runs.insertRun(tables, run)),
    run: (run) => runs.findRun(database, run),
    runs: () => runs.allRuns(database),
    saveRunState: (run, state) => change((tables) => runs.updateRun(tables, run, { state })),

    beginAttempt: (run, round, attempt) => change((tables) => rounds.insertAttempt(tables, run, { round, attempt })),
    lastAttempt: (run, round) => rounds.greatestAttempt(database, run, round),

    initModel: ({ model, checkpoint, state }) =>
      change(async (tables) => {
        if (model.version !== 0 || model.round !== 0) throw new Error("the initial model is version 0 of round 0");
        await requireNoModel(tables, model.run);
        await models.insertModel(tables, model, checkpoint);
        await runs.updateRun(tables, model.run, { state });
      }),

    commitRound: (commit) =>
      change(async (tables) => {
        const { record, state } = commit;
        await rounds.insertRound(tables, commit);
        await runs.updateRun(tables, record.run, { state, reached: record });
        await clients.addContributions(tables, record.survivors);
      }),

    saveEvaluation: (evaluation) =>
      change(async (tables) => {
        const { run, metrics, state } = evaluation;
        const record = await rounds.updateEvaluation(tables, evaluation);
        const evaluated = await models.findModel(tables, run, record.modelVersion);
        await models.addModelMetrics(tables, evaluated?.model, metrics);
        await runs.updateRun(tables, run, { state });
      }),

    rounds: (run, page = {}) => rounds.pageOfRounds(database, run, page),
    round: (run, round) => rounds.findRound(database, run, round),
    models: (run) => models.allModels(database, run),
    model: async (run, version) => (await models.findModel(database, run, version))?.model,
    checkpoint: async (run, version) => (await models.findModel(database, run, version))?.checkpoint,

    enrol: (enrolment) => change((tables) => clients.insertClient(tables, enrolment)),
    clientByTokenHash: async (value) =>
      withLastSeen(await clients.findClient(database, { column: "token_hash", value })),
    client: async (value) => withLastSeen(await clients.findClient(database, { column: "client", value })),
    clients: async () => (await clients.allClients(database)).map(withLastSeen),
    touch: async (client, at) => void seen.set(client, at),
    revoke: (client) => change((tables) => clients.markRevoked(tables, client)),

    async close() {
      if (seen.size > 0) await change(async () => {});
      await database.destroy();
    },
  };
}

async function requireNoModel(tables: Transaction<Tables>, run: RunId): Promise<void> {
  await runs.requireRun(tables, run);
  if (await models.findModel(tables, run, 0)) {
    throw new ProtocolError("wrong_state", `run ${run} has its initial model already`);
  }
}

import {
  type ClientId,
  type FederationEvent,
  ProtocolError,
  type RunId,
  type RunProblem,
  type UnnumberedEvent,
} from "@tributary/protocol";
import type { Kysely, Transaction } from "kysely";
import { RecentSessions } from "./recent-sessions.ts";
import * as clients from "./sql-clients.ts";
import * as events from "./sql-events.ts";
import * as models from "./sql-models.ts";
import * as rounds from "./sql-rounds.ts";
import * as runs from "./sql-runs.ts";
import * as timelines from "./sql-timelines.ts";
import type { AttemptEnd, Store, StoredClient } from "./store.ts";
import type { Tables } from "./tables.ts";

/** The Store over any database that Kysely speaks to; owns `database`, whose schema is up to date, and closes it. */
export function sqlStore(database: Kysely<Tables>): Store {
  const seen = new Map<ClientId, number>();
  const noted: UnnumberedEvent[] = [];
  const ended: AttemptEnd[] = [];
  const problems = new Map<RunId, RunProblem>();
  const sessions = new RecentSessions();
  const listeners = new Set<(events: readonly FederationEvent[]) => void>();
  const hasNotes = () => noted.length > 0 || ended.length > 0 || problems.size > 0;

  async function change(
    write: (tables: Transaction<Tables>) => Promise<void>,
    told: readonly UnnumberedEvent[] = [],
  ): Promise<void> {
    const pending = new Map(seen);
    const troubled = new Map(problems);
    let taken: UnnumberedEvent[] = [];
    let attempts: AttemptEnd[] = [];
    const transaction = database.transaction().execute(async (tables) => {
      for (const [client, at] of pending) await clients.saveLastSeen(tables, client, at);
      for (const [run, problem] of troubled) await runs.saveProblem(tables, run, problem);
      await write(tables);
      // Taken, not copied: the next transaction may begin before this one's caller hears of its end.
      attempts = ended.splice(0);
      taken = noted.splice(0);
      for (const end of attempts) await timelines.insertAttemptEnd(tables, end);
      return events.appendEvents(tables, [...taken, ...told]);
    });
    const written = await transaction.catch((error: unknown) => {
      noted.unshift(...taken);
      ended.unshift(...attempts);
      throw error;
    });
    for (const [client, at] of pending) if (seen.get(client) === at) seen.delete(client);
    for (const [run, problem] of troubled) if (problems.get(run) === problem) problems.delete(run);
    if (written.length > 0) for (const listener of listeners) listener(written);
  }

  function withLastSeen<Found extends StoredClient | undefined>(client: Found): Found {
    const at = client && seen.get(client.client);
    return at === undefined ? client : { ...client, lastSeenAt: at };
  }

  return {
    createRun: (run) => change((tables) => runs.insertRun(tables, run)),
    run: (run) => runs.findRun(database, run),
    runs: () => runs.allRuns(database),
    saveRunState: (run, state) => change((tables) => enter(tables, run, { state }), state.events),

    beginAttempt: (run, round, attempt) => change((tables) => rounds.insertAttempt(tables, run, { round, attempt })),
    lastAttempt: (run, round) => rounds.greatestAttempt(database, run, round),

    initModel: ({ model, checkpoint, state }) =>
      change(async (tables) => {
        if (model.version !== 0 || model.round !== 0) throw new Error("the initial model is version 0 of round 0");
        await requireNoModel(tables, model.run);
        await models.insertModel(tables, model, checkpoint);
        await runs.updateRun(tables, model.run, { state });
      }, state.events),

    commitRound: (commit) =>
      change(async (tables) => {
        const { record, state } = commit;
        await rounds.insertRound(tables, commit);
        await enter(tables, record.run, { state, reached: record });
        await clients.addToEach(tables, "contributions", record.survivors);
      }, commit.state.events),

    rollBack: ({ model, checkpoint, state }) =>
      change(async (tables) => {
        const { round, modelVersion } = (await runs.requireRun(tables, model.run)).record;
        if (model.version !== modelVersion + 1 || model.round !== round) {
          throw new ProtocolError(
            "wrong_state",
            `version ${model.version} cannot follow version ${modelVersion} of round ${round} of ${model.run}`,
          );
        }
        await models.insertModel(tables, model, checkpoint);
        await runs.updateRun(tables, model.run, { state, reached: { round, modelVersion: model.version } });
      }, state.events),

    saveEvaluation: (evaluation) =>
      change(async (tables) => {
        const { run, metrics, state } = evaluation;
        const record = await rounds.updateEvaluation(tables, evaluation);
        const evaluated = await models.findModel(tables, run, record.modelVersion);
        await models.addModelMetrics(tables, evaluated?.model, metrics);
        await enter(tables, run, { state });
      }, evaluation.state.events),

    rounds: (run, page = {}) => rounds.pageOfRounds(database, run, page),
    round: (run, round) => rounds.findRound(database, run, round),
    history: (run, page) => rounds.thinnedRounds(database, run, page),
    noteAttempt: (end) => void ended.push(end),
    noteProblem: (run, problem) => void problems.set(run, problem),
    timelines: async (run, round, page) => {
      const pending = ended.filter((end) => end.run === run && end.round === round).map((end) => end.timeline);
      const { known, attempts } = await timelines.timelinesOf(database, { run, round }, page);
      const older = pending.filter(({ attempt }) => page.before === undefined || attempt < page.before);
      return { known: known + pending.length, attempts: [...attempts, ...older].slice(-page.limit) };
    },
    models: (run) => models.allModels(database, run),
    model: async (run, version) => (await models.findModel(database, run, version))?.model,
    checkpoint: async (run, version) => (await models.findModel(database, run, version))?.checkpoint,

    enrol: (enrolment) => sessions.changing(() => change((tables) => clients.insertClient(tables, enrolment))),
    startSession: (client, session) =>
      sessions.changing(() => change((tables) => clients.updateSession(tables, client, session))),
    clientByTokenHash: async (tokenHash, at) => withLastSeen(await clients.findByToken(database, tokenHash, at)),
    session: (tokenHash, at) => sessions.find(tokenHash, at, () => clients.findSession(database, tokenHash)),
    client: async (client) => withLastSeen(await clients.findClient(database, client)),
    clients: async () => (await clients.allClients(database)).map(withLastSeen),
    clientNames: (wanted) => clients.namesOf(database, wanted),
    touch: async (client, at) => void seen.set(client, at),
    revoke: (client) => sessions.changing(() => change((tables) => clients.markRevoked(tables, client))),

    noteEvent: (event) => void noted.push(event),
    writeEvents: async () => {
      if (hasNotes()) await change(async () => {});
    },
    events: (page) => events.pageOfEvents(database, page),
    eventRange: () => events.eventRange(database),
    onEvents(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },

    async close() {
      if (seen.size > 0 || hasNotes()) await change(async () => {});
      await database.destroy();
    },
  };
}

/** The run's new state, and the attempt that it begins. */
async function enter(
  tables: Transaction<Tables>,
  run: RunId,
  change: Parameters<typeof runs.updateRun>[2],
): Promise<void> {
  await runs.updateRun(tables, run, change);
  await rounds.ensureAttempt(tables, run, change.state.begins);
}

async function requireNoModel(tables: Transaction<Tables>, run: RunId): Promise<void> {
  await runs.requireRun(tables, run);
  if (await models.findModel(tables, run, 0)) {
    throw new ProtocolError("wrong_state", `run ${run} has its initial model already`);
  }
}

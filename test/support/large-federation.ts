import { join } from "node:path";
import type { RunningCoordinator } from "@tributary/coordinator";
import type { AttemptTimeline, ClientId, Dropped, RunId } from "@tributary/protocol";
import { noProgress } from "@tributary/round";
import { openSqlite, openSqliteStore } from "../../apps/coordinator/src/store/sqlite.ts";
import { createRun } from "./coordinator-calls.ts";
import { localCoordinator } from "./coordinator-local.ts";
import { dataFolder } from "./data-folder.ts";
import { clientsNamed, specOf } from "./specs.ts";

/**
 * A coordinator whose store holds `clients` devices, and a paused run of `rounds` rounds that asked all of them; every
 * tenth was lost, and the last to answer was "client 1".
 */
export async function largeFederation(
  clients: number,
  rounds: number,
): Promise<{ url: string; run: RunId; coordinator: RunningCoordinator; folder: string }> {
  const folder = await dataFolder();
  const first = await localCoordinator({ dataFolder: folder });
  const { run } = await createRun(first.url, specOf({ name: "everyone", stop: { rounds: 1_000 } }), { start: false });
  await first.close();
  const file = join(folder, "tributary.sqlite");
  const database = await openSqlite(file);
  database.exec(`
    with recursive numbers(n) as (select 0 union all select n + 1 from numbers where n < ${clients - 1})
    insert into clients (client, name, tags, engine, token_hash, created_at, last_seen_at, contributions)
    select printf('client-%08d', n), 'client ' || n, case n % 3 when 0 then '["gpu"]' else '[]' end,
      case n % 2 when 0 then 'wasm' else 'webgpu' end, 'hash ' || n, 1700000000000 + n, 1700000000000 + n, n % 7
    from numbers`);
  database.close();

  const store = await openSqliteStore(file);
  const cohort = clientsNamed(clients);
  const dropped = cohort
    .filter((_, number) => number % 10 === 0)
    .map((client) => ({ client, step: "update", reason: "the step closed before it answered" }));
  const lost = new Set(dropped.map(({ client }) => client));
  const survivors = cohort.filter((client) => !lost.has(client));
  const model = (await store.model(run, 0))!;
  const checkpoint = (await store.checkpoint(run, 0))!;
  for (let round = 1; round <= rounds; round++) {
    await store.beginAttempt(run, round, 1);
    const at = 1_700_000_000_000 + 60_000 * round;
    await store.commitRound({
      record: {
        ...{ run, round, attempt: 1, modelVersion: round, modelSha256: model.sha256 },
        ...{ openedAt: at, committedAt: at + 5_000, cohort, survivors, dropped, weight: survivors.length },
        metrics: { trainingLoss: 1 / round, trainingExamples: 10 * survivors.length },
        ...{ bytesUp: 1e6, bytesDown: 2e6 },
        seconds: { gathering: 0.5, collecting: 4, aggregating: 0.5, evaluating: 0 },
        steps: [{ name: "update", seconds: 4, asked: clients, answered: survivors.length }],
      },
      model: { ...model, version: round, round, createdAt: at },
      checkpoint,
      state: { phase: "paused", progress: { ...noProgress, round, modelVersion: round } },
    });
    store.noteAttempt({ run, round, timeline: timelineOf(cohort, dropped), asked: cohort, answered: survivors });
  }
  await store.close();
  const coordinator = await localCoordinator({ dataFolder: folder });
  return { url: coordinator.url, run, coordinator, folder };
}

/** Has every device of a stopped federation offer itself, and every tenth be lost by the next attempt. */
export async function noteReturn(folder: string, run: RunId, clients: number): Promise<void> {
  const store = await openSqliteStore(join(folder, "tributary.sqlite"));
  const [at, cohort] = [1_700_000_600_000, clientsNamed(clients)];
  for (const [number, client] of cohort.entries()) {
    store.noteEvent({ type: "join", at, run, client, name: `client ${number}` });
    const lost = {
      kind: "train",
      round: 4,
      attempt: 1,
      step: "update",
      client,
      reason: "its connection closed",
    } as const;
    if (number % 10 === 0) store.noteEvent({ type: "dropped", at, run, ...lost });
  }
  await store.writeEvents();
  await store.close();
}

function timelineOf(cohort: readonly ClientId[], dropped: readonly Dropped[]): AttemptTimeline {
  const slow = cohort
    .slice(1, 13)
    .map((client, place) => ({ client, steps: [{ fetchedMs: 10, answeredMs: 4_000 - 10 * place }] }));
  const lost = dropped.slice(0, 12).map(({ client, ...where }) => ({ client, steps: [{}], dropped: where }));
  const answered = cohort.length - dropped.length;
  const spread = Array.from({ length: 40 }, () => answered / 40);
  return {
    ...{ kind: "train", attempt: 1, openedAt: 1_700_000_000_000, outcome: "done", endedMs: 4_500 },
    cohort: cohort.length,
    dropped: dropped.length,
    steps: [{ name: "update", openedMs: 0, closedMs: 4_000, limitMs: 120_000, asked: cohort.length, answered, spread }],
    lanes: [...lost, ...slow],
  };
}

import { join } from "node:path";
import type { RunId } from "@tributary/protocol";
import { noProgress } from "@tributary/round";
import { openSqlite, openSqliteStore } from "../../apps/coordinator/src/store/sqlite.ts";
import { createRun } from "./coordinator-calls.ts";
import { HandDevice } from "./coordinator-device.ts";
import { localCoordinator } from "./coordinator-local.ts";
import { dataFolder } from "./data-folder.ts";
import { specOf } from "./specs.ts";

const cohort = { size: 1, minimum: 1, overSelect: 1 };
/** Each round's, apart from its number: round r moved r bytes up and 2 r down, and took a second and a half. */
const seconds = { gathering: 0.25, collecting: 1, aggregating: 0.25, evaluating: 0 };

/**
 * A coordinator with a paused run of one device that has `rounds` rounds behind it; every `judgedEvery`-th was judged,
 * with accuracy = round / `rounds`, in half a second.
 */
export async function longRun(
  rounds: number,
  judgedEvery: number,
): Promise<{ url: string; run: RunId; device: HandDevice; folder: string }> {
  const folder = await dataFolder();
  const first = await localCoordinator({ dataFolder: folder });
  const stop = { rounds: 100_000 };
  const evaluation = { on: "clients", everyRounds: judgedEvery };
  const { run } = await createRun(first.url, specOf({ name: "long", cohort, evaluation, stop }), { start: false });
  const { client, token } = await HandDevice.enrol(first.url, { name: "patient" });
  await first.close();

  const file = join(folder, "tributary.sqlite");
  const store = await openSqliteStore(file);
  const [model, checkpoint] = [(await store.model(run, 0))!, (await store.checkpoint(run, 0))!];
  await store.beginAttempt(run, 1, 1);
  const progress = { ...noProgress, round: rounds, modelVersion: rounds, judged: rounds, populationMet: true };
  await store.commitRound({
    record: {
      ...{ run, round: 1, attempt: 1, modelVersion: 1, modelSha256: model.sha256, openedAt: 1, committedAt: 2 },
      ...{ cohort: [client], survivors: [client], dropped: [], weight: 1, metrics: { trainingLoss: 1 } },
      ...{ bytesUp: 1, bytesDown: 2, seconds },
    },
    model: { ...model, version: 1, round: 1 },
    checkpoint,
    state: {
      phase: "paused",
      progress: { ...progress, latest: { accuracy: 1, trainingLoss: 1 } },
      metrics: { accuracy: 1, trainingLoss: 1 },
      totals: {
        bytesUp: (rounds * (rounds + 1)) / 2,
        bytesDown: rounds * (rounds + 1),
        seconds: 1.5 * rounds + 0.5 * Math.floor(rounds / judgedEvery),
      },
    },
  });
  await store.close();
  const database = await openSqlite(file);
  const numbered = (column: string) =>
    `json_set(${column}, '$.round', n, '$.modelVersion', n, '$.bytesUp', n, '$.bytesDown', 2 * n)`;
  const numbers = `with recursive numbers(n) as (select 2 union all select n + 1 from numbers where n < ${rounds})`;
  database.exec(`
    ${numbers} insert into rounds (run, round, record, summary)
      select run, n, ${numbered("record")}, ${numbered("summary")} from rounds, numbers;
    ${numbers} insert into attempts (run, round, attempt) select '${run}', n, 1 from numbers;
    update rounds set evaluation = json_object('metrics', json_object('accuracy', 1.0 * round / ${rounds}), 'seconds', 0.5)
      where round % ${judgedEvery} = 0;
    update models set version = ${rounds}, round = ${rounds} where version = 1;
    update runs set round = ${rounds}, model_version = ${rounds};`);
  database.close();
  const { url } = await localCoordinator({ dataFolder: folder });
  return { url, run, device: new HandDevice(url, { client, token }), folder };
}

import { startCoordinator } from "@tributary/coordinator";
import { type RunRecord, routes } from "@tributary/protocol";
import { expect, test } from "vitest";
import { call, createRun } from "../support/coordinator-calls.ts";
import { localCoordinator } from "../support/coordinator-local.ts";
import { dataFolder } from "../support/data-folder.ts";
import { specOf } from "../support/specs.ts";

const quiet = { host: "127.0.0.1", port: 0, logLevel: "silent" } as const;
const digits = { kind: "images", shape: [28, 28, 1], target: "class", classes: 10 };

test("a coordinator that lacks the set on which an open run is judged does not start, and spoils no run", async () => {
  const folder = await dataFolder();
  const evaluationData = { "held out": "digits-test" };
  const first = await startCoordinator({ ...quiet, dataFolder: folder, evaluationData });
  const spec = { ...specOf(), data: digits, evaluation: { on: "coordinator", data: "held out" } };
  const { run } = await createRun(first.url, spec);
  await first.close();
  await expect(startCoordinator({ ...quiet, dataFolder: folder })).rejects.toMatchObject({
    code: "bad_spec",
    message: expect.stringMatching(new RegExp(`${run}.*no evaluation set "held out".*--evaluation-data`)),
  });
  const again = await localCoordinator({ dataFolder: folder, evaluationData });
  const { body } = await call<RunRecord>(again.url, `GET ${routes.run(run)}`);
  expect(body).toMatchObject({ phase: "gathering", round: 0 });
  // Once the run is over nobody needs the set.
  await call(again.url, `POST ${routes.runAction("stop", run)}`);
  await again.close();
  await localCoordinator({ dataFolder: folder });
});

test("a port that is taken is named, with what to do, and the folder is free again", async () => {
  const first = await localCoordinator();
  const port = Number(new URL(first.url).port);
  const folder = await dataFolder();
  await expect(startCoordinator({ ...quiet, dataFolder: folder, port })).rejects.toThrow(
    `port ${port} of 127.0.0.1 is taken by another process; stop it, or choose another with --port (0 takes a free one)`,
  );
  await localCoordinator({ dataFolder: folder });
});

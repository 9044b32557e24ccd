import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join as joinPath } from "node:path";
import "@tensorflow/tfjs-backend-cpu";
import { io, setBackend, type Tensor, tensor } from "@tensorflow/tfjs-core";
import { type LayersModel, loadLayersModel } from "@tensorflow/tfjs-layers";
import type { Dataset } from "@tributary/algorithm";
import { join } from "@tributary/node-client";
import {
  type DataSpec,
  encodeFrame,
  isOver,
  type ModelRecord,
  type ModelSpec,
  type RunRecord,
  routes,
} from "@tributary/protocol";
import { createTrainer } from "@tributary/training";
import { expect, test } from "vitest";
import { call, createRun, runThat } from "../support/coordinator-calls.ts";
import { HandDevice, tinyUpdate } from "../support/coordinator-device.ts";
import { localCoordinator } from "../support/coordinator-local.ts";
import { dataFolder } from "../support/data-folder.ts";
import { lineProcess } from "../support/line-process.ts";
import { clusters } from "../support/participant-softmax.ts";
import { specOf } from "../support/specs.ts";

/** Mean loss and hits of a loaded model, worked out from its predictions. */
function judge(model: LayersModel, data: Dataset): { loss: number; correct: number } {
  const positions = Uint32Array.from({ length: data.examples }, (_, position) => position);
  const features = new Float32Array(data.examples * 2);
  const labels = new Int32Array(data.examples);
  void data.batch(positions, features, labels);
  const predicted = (model.predict(tensor(features, [data.examples, 2])) as Tensor).arraySync() as number[][];
  const losses = predicted.map((row, i) => -Math.log(row[labels[i]!]!));
  const correct = predicted.filter((row, i) => row.indexOf(Math.max(...row)) === labels[i]).length;
  return { loss: losses.reduce((sum, loss) => sum + loss, 0) / losses.length, correct };
}

test("a trained version loads in tf.loadLayersModel from its address and from a pulled folder, unchanged", async () => {
  const { url } = await localCoordinator();
  const data: DataSpec = { kind: "table", shape: [2], target: "class", classes: 2 };
  const model: ModelSpec = { preset: "mlp", hidden: [8] };
  const { run } = await createRun(url, specOf({ model, data, cohort: { size: 1, minimum: 1 }, stop: { rounds: 2 } }));
  await join({ coordinator: url, run, engine: "cpu", devices: [{ name: "one", dataset: clusters(40), data }] }).done;
  await runThat(url, run, ({ phase }) => isOver(phase));

  await setBackend("cpu");
  const loaded = await loadLayersModel(`${url}${routes.modelJson(run, 2)}`);
  const { body: weights } = await call<Uint8Array>(url, `GET ${routes.modelWeights(run, 2)}`);
  const held = clusters(37);
  const trainer = await createTrainer({ model, data, engine: "cpu" });
  const floats = new Float32Array(weights.slice().buffer);
  const expected = await trainer.evaluate({ weights: floats, data: held, signal: new AbortController().signal });
  const found = judge(loaded, held);
  expect(found.correct).toBe(expected.correct);
  expect(found.loss).toBeCloseTo(expected.lossSum / expected.examples, 5);

  const { body: record } = await call<ModelRecord>(url, `GET ${routes.model(run, 2)}`);
  expect(loaded.getUserDefinedMetadata()).toEqual({
    ...{ run, name: "test", round: 2, version: 2 },
    ...{ metrics: record.metrics, sha256: createHash("sha256").update(weights).digest("hex") },
  });

  const out = joinPath(await dataFolder(), "pulled");
  const pull = lineProcess(
    "../../apps/cli/bin/tributary.js",
    "models",
    "pull",
    run,
    "--coordinator",
    url,
    "--out",
    out,
  );
  expect(await pull.ended).toBe(0);
  const description = JSON.parse(await readFile(joinPath(out, "model.json"), "utf8"));
  const bytes = await readFile(joinPath(out, "weights.bin"));
  const fromDisk = await loadLayersModel(
    io.fromMemory({
      modelTopology: description.modelTopology,
      weightSpecs: description.weightsManifest[0].weights,
      weightData: Uint8Array.from(bytes).buffer,
    }),
  );
  expect(judge(fromDisk, held)).toEqual(found);
});

const momentum = { name: "fedavg", learningRate: 0.1, server: { learningRate: 1, momentum: 0.9 } };

/** A run of one device, paused or over after two rounds, each of which moved every weight by 1. */
async function twoRounds(dataFolder: string, rounds: number) {
  const coordinator = await localCoordinator({ dataFolder });
  const cohort = { size: 1, minimum: 1, overSelect: 1 };
  const { run } = await createRun(coordinator.url, specOf({ algorithm: momentum, cohort, stop: { rounds } }));
  const device = await HandDevice.joined(coordinator.url, run);
  for (const round of [1, 2]) await device.answer(await device.asked((hint) => hint.round === round), tinyUpdate(1));
  await runThat(coordinator.url, run, (record) => record.round === 2);
  return { coordinator, run, device };
}

test("a rolled-back version is a new one with the old bytes, and the next round goes on from its server state", async () => {
  const folder = await dataFolder();
  const { coordinator, run, device } = await twoRounds(folder, 5);
  const { url } = coordinator;
  await device.asked((hint) => hint.round === 3);
  const refused = await call(url, `POST ${routes.rollback(run)}`, { json: { version: 1 } });
  expect([refused.status, refused.body.detail]).toEqual([
    409,
    "A run that is collecting cannot roll back; pause it first.",
  ]);

  await call(url, `POST ${routes.runAction("pause", run)}`);
  const rolled = await call<ModelRecord>(url, `POST ${routes.rollback(run)}`, { json: { version: 1 } });
  const { body: versions } = await call<ModelRecord[]>(url, `GET ${routes.models(run)}`);
  expect(rolled.status).toBe(201);
  expect(rolled.body).toMatchObject({ version: 3, round: 2, restoredFrom: 1, sha256: versions[1]!.sha256 });
  expect(versions.map(({ version }) => version)).toEqual([0, 1, 2, 3]);
  await coordinator.close();

  const again = await localCoordinator({ dataFolder: folder });
  const { body: restarted } = await call<RunRecord>(again.url, `GET ${routes.run(run)}`);
  expect(restarted).toMatchObject({ phase: "paused", round: 2, modelVersion: 3 });
  const back = new HandDevice(again.url, { client: device.client, token: device.token });
  await back.connect();
  await back.offer(run);
  await call(again.url, `POST ${routes.runAction("resume", run)}`);
  const hint = await back.asked((asked) => asked.round === 3);
  const question = await back.question(hint);
  expect(question.body.modelVersion).toBe(3);
  expect(Object.values(question.body.vectors).map(({ sha256 }) => sha256)).toContain(versions[1]!.sha256);
  await back.answer(hint, tinyUpdate(1));
  await runThat(again.url, run, (record) => record.round === 3);
  const { body: next } = await call<ModelRecord>(again.url, `GET ${routes.model(run, 4)}`);
  // The same step from the same model and the same momentum gives the same model: version 2's.
  expect(next).toMatchObject({ version: 4, round: 3, sha256: versions[2]!.sha256 });
});

test("a run that is over serves an earlier version again and stays over; versions that do not exist are refused", async () => {
  const { coordinator, run } = await twoRounds(await dataFolder(), 2);
  const { url } = coordinator;
  await runThat(url, run, ({ phase }) => phase === "finished");
  const post = (version: number) => call(url, `POST ${routes.rollback(run)}`, { json: { version } });
  expect((await post(7)).body.detail).toBe("The run has no model version 7.");
  expect((await post(2)).body.detail).toBe("Version 2 is the one being served already.");
  expect((await post(0)).status).toBe(201);
  const { body } = await call<RunRecord>(url, `GET ${routes.run(run)}`);
  expect(body).toMatchObject({ phase: "finished", round: 2, modelVersion: 3 });
});

test("after a roll-back a question names the last round that its model came from, also after a restart", async () => {
  const folder = await dataFolder();
  const coordinator = await localCoordinator({ dataFolder: folder });
  const { url } = coordinator;
  const algorithm = { name: "scaffold", learningRate: 0.1, clients: 1 };
  const cohort = { size: 1, minimum: 1, overSelect: 1 };
  const { run } = await createRun(url, specOf({ algorithm, cohort, stop: { rounds: 5 } }));
  const device = await HandDevice.joined(url, run);
  // Six weights, as many changes of the variate, examples, loss, nothing lost.
  const answer = encodeFrame({ weight: 1, values: new Float32Array(15).fill(0.5) });
  for (const round of [1, 2, 3]) {
    const hint = await device.asked((asked) => asked.round === round);
    const { body } = await device.question(hint);
    expect(body.included).toEqual(round === 1 ? undefined : { round: round - 1, attempt: 1 });
    await device.answer(hint, answer);
  }
  await runThat(url, run, ({ round }) => round === 3);
  await call(url, `POST ${routes.runAction("pause", run)}`);
  await call(url, `POST ${routes.rollback(run)}`, { json: { version: 2 } });
  await coordinator.close();
  const again = await localCoordinator({ dataFolder: folder });
  const back = new HandDevice(again.url, { client: device.client, token: device.token });
  await back.connect();
  await back.offer(run);
  await call(again.url, `POST ${routes.runAction("resume", run)}`);
  const { body } = await back.question(await back.asked((hint) => hint.round === 4));
  expect(body.included).toEqual({ round: 2, attempt: 1 });
});

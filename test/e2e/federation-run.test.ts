import { createHash } from "node:crypto";
import type { ClientRecord, ModelRecord, RoundRecord, RunRecord } from "@tributary/protocol";
import { routes } from "@tributary/protocol";
import { expect, test } from "vitest";
import { call, createRun, runThat } from "../support/coordinator-calls.ts";
import { HandDevice, tinyJudgement, tinyUpdate } from "../support/coordinator-device.ts";
import { sharedCoordinator } from "../support/coordinator-local.ts";
import { tinyDevices } from "../support/federation-devices.ts";
import { clusters } from "../support/participant-softmax.ts";
import { specOf } from "../support/specs.ts";

const coordinator = sharedCoordinator();
const over = ({ phase }: RunRecord) => phase === "finished" || phase === "stopped" || phase === "failed";
const act = (action: Parameters<typeof routes.runAction>[0], run: string) =>
  call<RunRecord>(coordinator.url, `POST ${routes.runAction(action, run)}`);
const roundsOf = async (run: string) => (await call<RoundRecord[]>(coordinator.url, `GET ${routes.rounds(run)}`)).body;
const weightsOf = async (run: string, version: number) => {
  const { body } = await call<Uint8Array>(coordinator.url, `GET ${routes.modelWeights(run, version)}`);
  return new Float32Array(body.slice().buffer);
};
/** One device by hand is the whole cohort. */
const alone = { cohort: { size: 1, minimum: 1, overSelect: 1 } };

test("three devices train a model together; every record says what happened", async () => {
  const { url } = coordinator;
  const { run } = await createRun(url, specOf({ evaluation: { on: "clients", everyRounds: 1 }, stop: { rounds: 4 } }));
  const devices = tinyDevices(url, ["one", "two", "three"], { run, examples: (i) => 8 * (i + 1) });
  await devices.handle.done;
  const done = await runThat(url, run, over);
  expect(done).toMatchObject({ phase: "finished", reason: "all 4 rounds done", round: 4, modelVersion: 4 });
  const rounds = await roundsOf(run);
  expect(rounds).toHaveLength(4);
  for (const { round, survivors, weight, bytesUp, bytesDown, judging, evaluation, metrics, dropped } of rounds) {
    expect(survivors).toHaveLength(3);
    expect(dropped).toEqual([]);
    expect(weight).toBe(8 + 16 + 24);
    expect(bytesUp).toBe(3 * (24 + 8 * 4));
    // The devices of one process share a download, and have the later models from judging them.
    expect(bytesDown).toBe(round === 1 ? 24 : 0);
    expect(judging).toMatchObject({ bytesDown: 24 });
    expect(judging!.bytesUp).toBeGreaterThan(3 * 24);
    expect(evaluation).toMatchObject({ examples: 48 });
    expect(metrics["trainingExamples"]).toBe(48);
  }
  expect(rounds.at(-1)!.evaluation!["loss"]!).toBeLessThan(rounds[0]!.evaluation!["loss"]!);
  expect(done.metrics).toMatchObject(rounds.at(-1)!.evaluation!);
  const { body: models } = await call<ModelRecord[]>(url, `GET ${routes.models(run)}`);
  expect(models.map(({ version }) => version)).toEqual([0, 1, 2, 3, 4]);
  for (const { version, sha256 } of models) {
    const { body } = await call<Uint8Array>(url, `GET ${routes.modelWeights(run, version)}`);
    expect(createHash("sha256").update(body).digest("hex")).toBe(sha256);
  }
});

test("evaluation on the clients is the sum over their examples, on the round that was just committed", async () => {
  const { url } = coordinator;
  const spec = specOf({
    cohort: { size: 2, minimum: 2, overSelect: 1 },
    evaluation: { on: "clients", everyRounds: 2 },
    stop: { rounds: 2 },
  });
  const { run } = await createRun(url, spec);
  const [one, two] = [await HandDevice.joined(url, run), await HandDevice.joined(url, run)];
  for (const round of [1, 2]) {
    for (const device of [one, two]) {
      const hint = await device.asked((hint) => hint.round === round && hint.kind === "train");
      await device.answer(hint, tinyUpdate(round));
    }
  }
  const judging = await Promise.all([one, two].map((device) => device.asked(({ kind }) => kind === "evaluate")));
  expect(judging.map(({ round }) => round)).toEqual([2, 2]);
  const { body: question } = await one.question(judging[0]!);
  expect(question).toMatchObject({ modelVersion: 2, answer: { element: "f32", length: 23 } });
  await one.answer(judging[0]!, tinyJudgement(30, 15, 20));
  await two.answer(judging[1]!, tinyJudgement(10, 25, 10));
  await runThat(url, run, over);
  const rounds = await roundsOf(run);
  expect(rounds.map(({ evaluation }) => evaluation)).toEqual([undefined, { loss: 1, accuracy: 0.75, examples: 40 }]);
});

test("a run stops at its target, and says so", async () => {
  const target = { metric: "accuracy", atLeast: 0.9 };
  const spec = specOf({ ...alone, evaluation: { on: "clients", everyRounds: 1 }, stop: { rounds: 50, target } });
  const { run } = await createRun(coordinator.url, spec);
  tinyDevices(coordinator.url, ["one"], { run });
  expect(await runThat(coordinator.url, run, over)).toMatchObject({
    phase: "finished",
    reason: expect.stringMatching(/^target reached: accuracy [\d.]+ ≥ 0\.9$/),
  });
});

test("a run stops when its patience is over, and says so", async () => {
  const { url } = coordinator;
  const stop = { rounds: 50, patienceRounds: 2 };
  const { run } = await createRun(url, specOf({ ...alone, evaluation: { on: "clients", everyRounds: 1 }, stop }));
  const device = await HandDevice.joined(url, run);
  const judgements = [
    tinyJudgement(10, 20, 5),
    tinyJudgement(10, 10, 6),
    tinyJudgement(10, 10, 6),
    tinyJudgement(10, 10, 4),
  ];
  for (const [i, judgement] of judgements.entries()) {
    await device.answer(await device.asked(({ round, kind }) => round === i + 1 && kind === "train"), tinyUpdate(0));
    await device.answer(await device.asked(({ round, kind }) => round === i + 1 && kind === "evaluate"), judgement);
  }
  expect(await runThat(url, run, over)).toMatchObject({
    phase: "finished",
    reason: "no better accuracy for 2 rounds",
    round: 4,
  });
});

test("a run stops when its minutes are over, and says so", async () => {
  const { run } = await createRun(coordinator.url, specOf({ ...alone, stop: { rounds: 100_000, maxMinutes: 0.01 } }));
  tinyDevices(coordinator.url, ["one"], { run });
  const done = await runThat(coordinator.url, run, over);
  expect(done).toMatchObject({ phase: "finished", reason: "0.01 minutes are over" });
  expect(done.round).toBeGreaterThan(0);
});

test("an operator pauses, resumes and stops a run; what was committed stays", async () => {
  const { url } = coordinator;
  const { run } = await createRun(url, specOf({ ...alone, stop: { rounds: 100 } }));
  const device = await HandDevice.joined(url, run);
  await device.answer(await device.asked(({ round }) => round === 1), tinyUpdate(1));
  const second = await device.asked(({ round }) => round === 2);
  expect((await act("pause", run)).body).toMatchObject({ phase: "paused", round: 1 });
  expect((await device.heard.next(({ event }) => event === "dismiss")).payload).toMatchObject({
    round: 2,
    reason: "the run is paused",
  });
  expect(await device.answer(second, tinyUpdate(1))).toMatchObject({ status: 410, body: { code: "phase_closed" } });
  expect((await act("resume", run)).body.phase).not.toBe("paused");
  const again = await device.asked(({ round, attempt }) => round === 2 && attempt === second.attempt + 1);
  await device.answer(again, tinyUpdate(1));
  await runThat(url, run, ({ round }) => round === 2);
  expect((await act("stop", run)).body).toMatchObject({
    phase: "stopped",
    reason: "stopped by the operator",
    round: 2,
  });
  await device.heard.next(({ event, payload }) => event === "run" && (payload as RunRecord).phase === "stopped");
  expect(await roundsOf(run)).toHaveLength(2);
  expect((await act("resume", run)).status).toBe(409);
});

test("real devices that train while a run is paused and resumed finish it", async () => {
  const { url } = coordinator;
  const spec = specOf({ algorithm: { name: "fedavg", learningRate: 0.1, epochs: 200 }, stop: { rounds: 2 } });
  const { run } = await createRun(url, spec);
  const devices = tinyDevices(url, ["one", "two", "three"], { run });
  await devices.heard("training");
  expect((await act("pause", run)).status).toBe(200);
  await devices.heard("dismissed");
  expect((await act("resume", run)).status).toBe(200);
  await devices.handle.done;
  expect(await runThat(url, run, over)).toMatchObject({ phase: "finished", round: 2 });
});

test("a run starts from an uploaded model, and a model of another length is refused", async () => {
  const { url } = coordinator;
  const weights = Float32Array.of(1, 2, 3, 4, 5, 6);
  const upload = (values: Float32Array) =>
    call<{ sha256: string; parameters: number }>(url, `POST ${routes.uploadModel()}`, {
      bytes: new Uint8Array(values.buffer),
    });
  const { status, body } = await upload(weights);
  expect({ status, parameters: body.parameters }).toEqual({ status: 201, parameters: 6 });
  expect((await upload(weights)).body.sha256).toBe(body.sha256);
  const { run } = await createRun(
    url,
    specOf({ ...alone, model: { preset: "logistic", weights: body.sha256 }, stop: { rounds: 1 } }),
  );
  expect(await weightsOf(run, 0)).toEqual(weights);
  const device = await HandDevice.joined(url, run);
  const hint = await device.asked();
  const { body: question } = await device.question(hint);
  expect(question.vectors["model"]).toMatchObject({ sha256: body.sha256, length: 6, element: "f32" });
  await device.answer(hint, tinyUpdate(0.5));
  await runThat(url, run, over);
  expect(await weightsOf(run, 1)).toEqual(weights.map((weight) => weight + 0.5));

  const { body: short } = await upload(weights.subarray(0, 5).slice());
  const refused = await call(url, `POST ${routes.runs()}`, {
    json: specOf({ model: { preset: "logistic", weights: short.sha256 } }),
  });
  expect(refused).toMatchObject({ status: 400, body: { code: "bad_spec" } });
  expect(refused.body.detail).toContain("the model has 6 weights, the upload 5");
});

test("only devices with all of a run's tags are asked", async () => {
  const { url } = coordinator;
  const cohort = { fraction: 1, minimum: 2, overSelect: 1, tags: ["gpu", "eu"] };
  const { run } = await createRun(url, specOf({ cohort, stop: { rounds: 2 } }));
  tinyDevices(url, ["cpu"], { run, tags: ["eu"] });
  tinyDevices(url, ["none"], { run });
  const fitting = ["a", "b"].map((name) => tinyDevices(url, [name], { run, tags: ["eu", "gpu", name] }));
  await runThat(url, run, over);
  const { body: clients } = await call<ClientRecord[]>(url, `GET ${routes.clients()}`);
  const tagged = clients.filter(({ tags }) => tags.includes("gpu")).map(({ client }) => client);
  expect(tagged).toHaveLength(2);
  for (const { cohort, survivors } of await roundsOf(run)) {
    expect(cohort).toEqual([...tagged].sort());
    expect(survivors).toEqual([...tagged].sort());
  }
  expect(fitting).toHaveLength(2);
});

test("a cohort is a sample of those present, another one each round, the same for the same seed", async () => {
  const { url } = coordinator;
  const spec = (name: string) =>
    specOf({
      name,
      cohort: { fraction: 0.25, minimum: 2, overSelect: 1, population: 8 },
      stop: { rounds: 6 },
      seed: 7,
    });
  const cohorts: string[][] = [];
  for (const name of ["first", "second"]) {
    const { run } = await createRun(url, spec(name));
    const names = Array.from({ length: 8 }, (_, i) => `device ${i}`);
    const devices = tinyDevices(url, names, { run });
    await devices.handle.done;
    const { body: clients } = await call<ClientRecord[]>(url, `GET ${routes.clients()}`);
    const nameOf = new Map(clients.map((client) => [client.client, client.name]));
    const rounds = await roundsOf(run);
    expect(rounds.map(({ cohort }) => cohort.length)).toEqual(Array(6).fill(2));
    cohorts.push(
      rounds.map(({ cohort }) =>
        cohort
          .map((client) => nameOf.get(client))
          .sort()
          .join(),
      ),
    );
  }
  expect(new Set(cohorts[0]).size).toBeGreaterThan(1);
  expect(cohorts[1]).toEqual(cohorts[0]);
});

test("D10: devices whose training diverges decline with the reason, and the model stays as it was", async () => {
  const { url } = coordinator;
  const spec = specOf({
    algorithm: { name: "fedavg", learningRate: 1000, epochs: 50 },
    cohort: { size: 2, minimum: 2, overSelect: 1 },
  });
  const { run } = await createRun(url, spec);
  const points = clusters(16);
  // Features so large that the first steps overflow.
  const dataset = {
    ...points,
    batch(positions: Uint32Array, features: Float32Array, labels: Int32Array) {
      void points.batch(positions, features, labels);
      for (let i = 0; i < features.length; i++) features[i]! *= 1e37;
    },
  };
  const devices = tinyDevices(url, ["one", "two"], { run, dataset });
  expect(await devices.heard("declined")).toMatchObject({ code: "training_diverged" });
  const waiting = await runThat(url, run, ({ reason }) => reason?.includes("abandoned") ?? false);
  expect(waiting.reason).toMatch(
    /round 1, attempt \d+ abandoned: 0 of 2 clients answered and too few are left; 2 are needed/,
  );
  expect(waiting).toMatchObject({ round: 0, modelVersion: 0 });
  expect(await roundsOf(run)).toEqual([]);
  expect((await act("stop", run)).body.phase).toBe("stopped");
});

test("B1: a device that leaves in the middle of a round is dropped with the reason, and the others' mean is committed", async () => {
  const { url } = coordinator;
  const { run } = await createRun(url, specOf({ cohort: { size: 3, minimum: 2, overSelect: 1 }, stop: { rounds: 1 } }));
  const devices = await Promise.all([1, 2, 3].map(() => HandDevice.joined(url, run)));
  const hints = await Promise.all(devices.map((device) => device.asked()));
  expect((await devices[0]!.emit("leave", { run })).ok).toBe(true);
  await devices[1]!.answer(hints[1]!, tinyUpdate(1, 10));
  await devices[2]!.answer(hints[2]!, tinyUpdate(4, 20));
  await runThat(url, run, over);
  expect(await roundsOf(run)).toMatchObject([
    { weight: 30, dropped: [{ client: devices[0]!.client, step: "update", reason: "the device left" }] },
  ]);
  expect((await weightsOf(run, 1))[0]! - (await weightsOf(run, 0))[0]!).toBeCloseTo(3, 5);
});

test("B1: a straggler is dropped at the deadline when enough have answered, and told so", async () => {
  const { url } = coordinator;
  const spec = specOf({
    cohort: { size: 3, minimum: 2, overSelect: 1 },
    deadlines: { joinMs: 30_000, trainMs: 700, stepMs: 1000 },
    stop: { rounds: 1 },
  });
  const { run } = await createRun(url, spec);
  const devices = await Promise.all([1, 2, 3].map(() => HandDevice.joined(url, run)));
  const hints = await Promise.all(devices.map((device) => device.asked()));
  await devices[0]!.answer(hints[0]!, tinyUpdate(1));
  await devices[1]!.answer(hints[1]!, tinyUpdate(3));
  const { payload } = await devices[2]!.heard.next(({ event }) => event === "dismiss");
  expect(payload).toMatchObject({ run, round: 1, reason: "the step closed at its goal or deadline" });
  expect(await devices[2]!.answer(hints[2]!, tinyUpdate(9))).toMatchObject({ status: 410 });
  await runThat(url, run, over);
  expect(await roundsOf(run)).toMatchObject([
    { weight: 20, dropped: [{ client: devices[2]!.client, reason: "the step closed before it answered" }] },
  ]);
});

test("B5: with fewer answers than the minimum the attempt is void, and the next one goes through", async () => {
  const { url } = coordinator;
  const spec = specOf({
    cohort: { size: 2, minimum: 2, overSelect: 1 },
    deadlines: { joinMs: 500, trainMs: 500, stepMs: 500 },
    stop: { rounds: 1 },
  });
  const { run } = await createRun(url, spec);
  const devices = await Promise.all([1, 2].map(() => HandDevice.joined(url, run)));
  const first = await devices[0]!.asked();
  await devices[0]!.answer(first, tinyUpdate(100));
  const again = await Promise.all(devices.map((device) => device.asked(({ attempt }) => attempt > first.attempt)));
  expect((await devices[0]!.answer(again[0]!, tinyUpdate(1))).body).toMatchObject({ duplicate: false });
  await devices[1]!.answer(again[1]!, tinyUpdate(3));
  await runThat(url, run, over);
  expect((await weightsOf(run, 1))[0]! - (await weightsOf(run, 0))[0]!).toBeCloseTo(2, 5);
});

test("a device that was asked answers over a new connection: a broken network costs nothing", async () => {
  const { url } = coordinator;
  const { run } = await createRun(url, specOf({ cohort: { size: 2, minimum: 2, overSelect: 1 }, stop: { rounds: 1 } }));
  const [one, two] = [await HandDevice.joined(url, run), await HandDevice.joined(url, run)];
  const { question: _, ...hint } = await one.asked();
  one.socket.close();
  await two.answer(hint, tinyUpdate(3));
  await one.connect();
  const { asked } = await one.offer(run);
  expect(asked).toEqual([hint]);
  await one.answer(hint, tinyUpdate(1));
  await runThat(url, run, over);
  expect(await roundsOf(run)).toMatchObject([{ attempt: 1, weight: 20, dropped: [] }]);
});

test("C6: a device that connects twice is one device; the older connection is closed", async () => {
  const { url } = coordinator;
  const { run } = await createRun(url, specOf({ ...alone, stop: { rounds: 1 } }), { start: false });
  const first = await HandDevice.joined(url, run);
  const second = new HandDevice(url, first);
  await second.connect();
  expect(await first.closed()).toBe("io server disconnect");
  await second.offer(run);
  const { body } = await call<ClientRecord[]>(url, `GET ${routes.runClients(run)}`);
  expect(body).toMatchObject([{ client: first.client, connected: true }]);
});

test("a device whose data does not fit the run says so and leaves it to others", async () => {
  const { url } = coordinator;
  const { run } = await createRun(url, specOf({ data: { kind: "table", shape: [3], target: "class", classes: 2 } }));
  const { handle } = tinyDevices(url, ["one"], { run });
  await expect(handle.done).rejects.toMatchObject({
    code: "data_mismatch",
    message: expect.stringMatching(
      /a table with rows of 2 with 2 classes found; the run asks for a table with rows of 3/,
    ),
  });
});

import { seededRandom } from "@tributary/algorithm";
import { BlobCache, WorkQueue } from "@tributary/participant";
import { ProtocolError, protocolVersion, type RunId, routes } from "@tributary/protocol";
import { expect, test } from "vitest";
import type { ScriptedCoordinator } from "../support/participant-coordinator.ts";
import { planOf, questionOf, theRun } from "../support/participant-device.ts";
import { scriptedRoom } from "../support/participant-room.ts";
import { clusters, softmaxTrainer } from "../support/participant-softmax.ts";

const start = Float32Array.of(0.1, -0.2, 0, 0.3, 0.2, 0.1);
let coordinator: ScriptedCoordinator;
const { join } = scriptedRoom((fresh) => {
  coordinator = fresh;
});

test("a device enrols, offers itself, trains, reports and uploads what the training gave", async () => {
  const device = join({ name: "ward 3", tags: ["gpu"] });
  const client = await device.offered();
  expect(coordinator.enrolments).toMatchObject([
    { name: "ward 3", engine: "plain loops", tags: ["gpu"], protocol: protocolVersion },
  ]);
  coordinator.ask(client, questionOf(coordinator.publish(start)));
  const sent = await device.event("sent");

  const [answer] = coordinator.answers.entries;
  const data = clusters(16);
  const alone = await softmaxTrainer(data).train({
    weights: start,
    data,
    epochs: 2,
    batchSize: 4,
    learningRate: 0.5,
    random: seededRandom(7, "device"),
    signal: new AbortController().signal,
  });
  expect(answer!.frame.values).toEqual(alone.weights.map((weight, i) => weight - start[i]!));
  expect(answer!.frame.weight).toBe(16);
  expect(sent).toMatchObject({ bytes: answer!.bytes.byteLength, duplicate: false });

  const reports = coordinator.messages.entries.filter(({ type }) => type === "progress");
  expect(reports.at(0)).toMatchObject({ payload: { run: theRun, round: 1, attempt: 1, state: "training", done: 0 } });
  await coordinator.messages.next((message) => message.type === "progress" && message.payload.state === "trained");
  const trained = await device.event("trained");
  expect(trained.endedAt).toBeGreaterThan(trained.startedAt);
});

test("a device that is told the question with the hint does not fetch it, and one told of another step refuses", async () => {
  const device = join();
  const client = await device.offered();
  const question = questionOf(coordinator.publish(start));
  const hint = coordinator.ask(client, question, "silently");
  coordinator.tell(client, "ask", { ...hint, question: { ...question, round: 7 } });
  expect(await device.event("declined")).toMatchObject({
    code: "bad_request",
    detail: expect.stringContaining("rounds/7"),
  });
  const second = questionOf(coordinator.publish(start), { attempt: 2 });
  coordinator.tell(client, "ask", { ...coordinator.ask(client, second, "silently"), question: second });
  await device.event("sent");
  expect(coordinator.requests.entries.filter((request) => request.includes("/questions/"))).toEqual([]);
});

test("a device judges a model on its own data", async () => {
  const device = join();
  const client = await device.offered();
  const model = coordinator.publish(Float32Array.of(-5, 0, 0, 5, 0, 0));
  coordinator.ask(client, questionOf(model, { kind: "evaluate", answer: { element: "f32", length: 3 } }));
  await device.event("sent");
  const [examples, lossSum, correct] = coordinator.answers.entries[0]!.frame.values;
  expect([examples, correct]).toEqual([16, 16]);
  expect(lossSum).toBeGreaterThan(0);
  expect(lossSum).toBeLessThan(0.1);
});

test("a new attempt on the same model gets the same bytes without training again", async () => {
  const device = join();
  const client = await device.offered();
  const model = coordinator.publish(start);
  coordinator.ask(client, questionOf(model));
  await device.event("sent");
  const batches = device.trainer.batches;
  coordinator.ask(client, questionOf(model, { attempt: 2 }));
  await device.event("sent", ({ hint }) => hint.attempt === 2);
  expect(device.trainer.batches).toBe(batches);
  const [first, second] = coordinator.answers.entries;
  expect(second!.bytes).toEqual(first!.bytes);
  expect(second!.path).not.toBe(first!.path);

  coordinator.ask(client, questionOf(coordinator.publish(start.map((weight) => -weight)), { round: 2 }));
  await device.event("sent", ({ hint }) => hint.round === 2);
  expect(device.trainer.batches).toBe(2 * batches);
});

test("training goes on when a new attempt asks for the very same work, and stops when it asks for other work", async () => {
  const device = join();
  const client = await device.offered();
  const model = coordinator.publish(start);
  coordinator.ask(client, questionOf(model, { epochs: 500 }));
  await device.event("training");
  coordinator.ask(client, questionOf(model, { epochs: 500, attempt: 2 }));
  await device.event("sent", ({ hint }) => hint.attempt === 2);
  expect(device.trainer.batches).toBe(500 * 4);

  coordinator.ask(client, questionOf(model, { epochs: 1_000_000, round: 2 }));
  await device.event("training", ({ hint }) => hint.round === 2);
  coordinator.ask(client, questionOf(model, { epochs: 1, round: 3 }));
  await device.event("sent", ({ hint }) => hint.round === 3);
  expect(await device.event("dropped", ({ hint }) => hint.round === 2)).toMatchObject({ reason: /newer question/ });
});

test("a dismissed device stops training, keeps what it had finished, and answers the next attempt", async () => {
  const device = join();
  const client = await device.offered();
  const model = coordinator.publish(start);
  coordinator.ask(client, questionOf(model));
  await device.event("sent");
  const batches = device.trainer.batches;
  coordinator.tell(client, "dismiss", { run: theRun, round: 1, attempt: 1, step: 0, reason: "too few answered" });
  await device.event("dismissed");
  coordinator.ask(client, questionOf(model, { attempt: 2 }));
  await device.event("sent", ({ hint }) => hint.attempt === 2);
  expect(device.trainer.batches).toBe(batches);

  const hint = coordinator.ask(client, questionOf(model, { epochs: 1_000_000, round: 2 }));
  await device.event("training", (event) => event.hint.round === 2);
  coordinator.tell(client, "dismiss", { ...hint, reason: "the step closed" });
  expect(await device.event("dropped")).toMatchObject({ reason: "dismissed: the step closed" });
  coordinator.ask(client, questionOf(model, { round: 3 }));
  await device.event("sent", (event) => event.hint.round === 3);
});

test("a hint that was seen, or is older than one seen, or was dismissed before it came, is not acted on", async () => {
  const device = join();
  const client = await device.offered();
  const model = coordinator.publish(start);
  coordinator.ask(client, questionOf(model, { round: 2, attempt: 2 }));
  await device.event("sent");
  for (const [round, attempt] of [
    [2, 2],
    [2, 1],
    [1, 9],
  ] as const) {
    coordinator.ask(client, questionOf(model, { round, attempt }));
  }
  coordinator.tell(client, "dismiss", { run: theRun, round: 3, attempt: 1, step: 0, reason: "closed" });
  coordinator.ask(client, questionOf(model, { round: 3, attempt: 1 }));
  coordinator.ask(client, questionOf(model, { round: 3, attempt: 2 }));
  await device.event("sent", ({ hint }) => hint.round === 3);
  const asked = device.events.entries.filter(({ type }) => type === "asked");
  expect(asked.map((event) => event.type === "asked" && [event.hint.round, event.hint.attempt])).toEqual([
    [2, 2],
    [3, 2],
  ]);
});

test("two devices of one process download a model once and take turns at the engine", async () => {
  const [blobs, queue] = [new BlobCache(), new WorkQueue()];
  const pair = [join({ blobs, queue }), join({ blobs, queue, random: seededRandom(8, "device") })];
  const clients = await Promise.all(pair.map((device) => device.offered()));
  const model = coordinator.publish(start);
  for (const client of clients) coordinator.ask(client, questionOf(model, { epochs: 20 }));
  const spans = await Promise.all(pair.map((device) => device.event("trained")));
  await Promise.all(pair.map((device) => device.event("sent")));
  const blob = `GET ${routes.blob(model.sha256)}`;
  expect(coordinator.requests.entries.filter((request) => request === blob)).toHaveLength(1);
  const [first, second] = spans.sort((a, b) => a.startedAt - b.startedAt);
  expect(second!.startedAt).toBeGreaterThanOrEqual(first!.endedAt);
  expect(new Set(coordinator.answers.entries.map(({ client }) => client)).size).toBe(2);
});

test("a device that leaves while it trains stops within one batch and tells the coordinator", async () => {
  const device = join();
  const client = await device.offered();
  coordinator.ask(client, questionOf(coordinator.publish(start), { epochs: 1_000_000 }));
  await device.event("training");
  const before = device.trainer.batches;
  await device.participant.leave();
  expect(device.trainer.batches - before).toBeLessThanOrEqual(1);
  await coordinator.messages.next((message) => message.type === "closed");
  expect(coordinator.messages.entries.map(({ type }) => type)).toContain("leave");
  expect(coordinator.answers.entries).toEqual([]);
  expect(device.participant.state).toEqual({ kind: "left" });
});

test("a device for one run ignores the others and is done when that run is over", async () => {
  const other = "run-00000002" as RunId;
  coordinator.runs = [planOf(theRun), planOf(other)];
  const device = join({ run: theRun });
  await device.offered();
  expect(await coordinator.messages.next(({ type }) => type === "offer")).toMatchObject({
    payload: { runs: [theRun] },
  });
  coordinator.finish(theRun);
  await device.participant.done;
  expect(device.participant.state).toEqual({ kind: "finished" });
  expect(await device.event("runEnded")).toMatchObject({ run: theRun, phase: "finished", reason: "all rounds done" });
});

test("a device for a run that is not open is told which are", async () => {
  const device = join({ run: "run-00000009" as RunId });
  await expect(device.participant.done).rejects.toMatchObject({
    code: "not_found",
    message: "run run-00000009 is not open on this coordinator (open: run-00000001)",
  });
});

test("a device joins runs that open later, and says why it takes no part in those that do not fit it", async () => {
  const device = join({
    datasetFor(plan) {
      if (plan.data.classes === 2) return clusters(16);
      throw new ProtocolError("data_mismatch", `2 classes found; the run asks for ${plan.data.classes}`);
    },
  });
  const client = await device.offered();
  const [wide, late] = ["run-00000002", "run-00000004"] as RunId[];
  coordinator.runs = [
    ...coordinator.runs,
    planOf(wide!, { data: { kind: "table", shape: [2], target: "class", classes: 9 } }),
    planOf(late!),
  ];
  coordinator.tell(client, "run", { run: late, phase: "gathering" });
  expect(await device.event("declined", ({ run }) => run === wide)).toMatchObject({
    code: "data_mismatch",
    detail: "2 classes found; the run asks for 9",
  });
  const offer = await coordinator.messages.next(
    (message) => message.type === "offer" && message.payload.runs.includes(late!),
  );
  expect(offer).toMatchObject({ payload: { runs: [theRun, late] } });
});

test("a run's only device declines with the reason when its data does not fit", async () => {
  const device = join({
    run: theRun,
    datasetFor() {
      throw new ProtocolError("data_mismatch", "28×28 found; the run asks for 2");
    },
  });
  await expect(device.participant.done).rejects.toMatchObject({ code: "data_mismatch" });
});

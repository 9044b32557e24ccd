import type { ClientHalf } from "@tributary/algorithm";
import type { DeviceFloors, ParticipantOptions } from "@tributary/participant";
import type { ModelSpec, RunId, Sha256, StepQuestion } from "@tributary/protocol";
import { encodeParameters, type SessionParameters, taskHashOf } from "@tributary/secure-agg";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ScriptedCoordinator } from "../support/participant-coordinator.ts";
import { planOf, questionOf, theRun } from "../support/participant-device.ts";
import {
  exactLanes,
  heldUp,
  joinSecurely,
  type Member,
  SecureScript,
} from "../support/participant-secure-federation.ts";
import { parametersFor } from "../support/secure-agg-federation.ts";

const model = Float32Array.of(0.1, -0.2, 0, 0.3, 0.2, 0.1);
let coordinator: ScriptedCoordinator;
let members: Member[];

beforeEach(async () => {
  coordinator = await new ScriptedCoordinator().start();
  coordinator.runs = [planOf(theRun, { secureAggregation: "required" })];
  members = [];
});

afterEach(async () => {
  await Promise.all(members.map(({ device }) => device.participant.leave().catch(() => undefined)));
  await coordinator.stop();
});

async function join(different: Partial<ParticipantOptions> = {}): Promise<Member> {
  const member = await joinSecurely(coordinator, members.length, different);
  members.push(member);
  return member;
}

/** The opening question of a session of `clients`, which a coordinator changed as told. */
function opening(
  clients: number,
  parameters: Partial<SessionParameters>,
  question: Partial<StepQuestion> = {},
): StepQuestion {
  const reference = coordinator.publish(model);
  const place = { run: theRun, round: 1, attempt: 1, kind: "train" as const, modelVersion: 0 };
  const taskHash = taskHashOf({ ...planOf(theRun), ...questionOf(reference, question) });
  const agreed = { ...place, modelHash: reference.sha256, taskHash, ...parameters };
  const message = encodeParameters(parametersFor(clients, parameters.lanes ?? exactLanes, agreed));
  return questionOf(reference, { ...place, message: Buffer.from(message).toString("base64"), ...question });
}

/** The refusal of a question: the coordinator was told, the owner too, and nothing was uploaded. */
async function refused(member: Member, question: StepQuestion): Promise<{ code: string; detail: string }> {
  const uploads = coordinator.answers.entries.length;
  const hint = coordinator.ask(member.client, question);
  const told = await coordinator.messages.next(
    (message) => message.type === "decline" && message.payload.attempt === hint.attempt,
  );
  const { code, detail } = await member.device.event("declined", (event) => event.hint?.attempt === hint.attempt);
  expect(told).toMatchObject({ client: member.client, payload: { code, round: hint.round, step: hint.step } });
  expect(coordinator.answers.entries).toHaveLength(uploads);
  return { code, detail };
}

const holding = (floors: DeviceFloors) => join({ floors });

test("a device that wants larger sums refuses a smaller one", async () => {
  const { code, detail } = await refused(await holding({ minimumSurvivors: 5 }), opening(6, {}));
  expect(code).toBe("secure_floor");
  expect(detail).toContain("at least 5");
});

test("a threshold that leaves a device's secrets to too few is refused", async () => {
  const { code, detail } = await refused(await join(), opening(6, { threshold: 2 }));
  expect(code).toBe("secure_floor");
  expect(detail).toContain("threshold of 2 for 6 clients");
});

test("a sum of fewer than half the cohort is refused", async () => {
  expect(await refused(await join(), opening(8, { minimumSurvivors: 3 }))).toMatchObject({ code: "secure_floor" });
});

test("a rule that trusts the coordinator is refused, unless this device's owner allows it", async () => {
  const curious = opening(3, { rule: "curious" });
  expect(await refused(await join(), curious)).toMatchObject({ code: "secure_floor" });
  const trusting = await holding({ rule: "curious" });
  coordinator.ask(trusting.client, curious);
  expect(await trusting.device.event("sent")).toMatchObject({ protection: "keys" });
});

test("a session about another model than the question's is refused", async () => {
  const other = opening(3, { modelHash: "ab".repeat(32) });
  expect(await refused(await join(), other)).toMatchObject({ code: "model_hash_mismatch" });
});

test.each<[what: string, told: Partial<StepQuestion>]>([
  ["settings", { settings: { epochs: 3, learningRate: 0.5 } }],
  [
    "a further vector",
    { vectors: { extra: { sha256: "ab".repeat(32) as Sha256, bytes: 4, element: "f32", length: 1 } } },
  ],
])("a device that is told of other %s than the session's members is refused their sum", async (_, told) => {
  const agreed = opening(3, {});
  const vectors = { ...agreed.vectors, ...told.vectors };
  const { code, detail } = await refused(await join(), { ...agreed, ...told, vectors });
  expect(code).toBe("secure_parameters");
  expect(detail).toContain("task's hash");
});

test("a coordinator that shows one device another model's layers, or changes them later, gets no sum with it", async () => {
  const layers: ModelSpec = { preset: "logistic" };
  const other: ModelSpec = { preset: "mlp", hidden: [1] };
  coordinator.runs = [planOf(theRun, { secureAggregation: "required", model: other })];
  const misled = await join();
  expect(await refused(misled, opening(3, {}))).toMatchObject({ code: "secure_parameters" });
  coordinator.runs = [planOf(theRun, { secureAggregation: "required", model: layers })];
  const member = await join();
  coordinator.runs = [planOf(theRun, { secureAggregation: "required", model: other })];
  coordinator.ask(member.client, opening(3, { attempt: 2 }, { attempt: 2 }));
  await member.device.event("sent");
  const reference = coordinator.publish(model);
  const taskHash = taskHashOf({ ...planOf(theRun, { model: other }), ...questionOf(reference) });
  const changed = opening(3, { attempt: 3, taskHash }, { attempt: 3 });
  expect(await refused(member, changed)).toMatchObject({ code: "secure_parameters" });
});

test.each<[what: string, change: Partial<SessionParameters>]>([
  ["another run than its question", { run: "run-00000009" }],
  ["another round than its question", { round: 2 }],
  ["another attempt than its question", { attempt: 2 }],
  ["another kind than its question", { kind: "evaluate" }],
  ["another model version than its question", { modelVersion: 7 }],
  ["lanes of another length than the answer", { lanes: [{ ...exactLanes[0]!, length: 5 }] }],
  ["no time to train", { deadlines: { trainMs: 0, stepMs: 1_000 } }],
  ["years to train", { deadlines: { trainMs: 4_000_000_000, stepMs: 1_000 } }],
])("a session that speaks of %s is refused", async (_, change) => {
  expect(await refused(await join(), opening(3, change))).toMatchObject({ code: "secure_parameters" });
});

test("a question in the clear is never answered in a run that promised secure sums", async () => {
  const member = await join();
  const plain = questionOf(coordinator.publish(model));
  const { code, detail } = await refused(member, plain);
  expect(code).toBe("secure_aggregation_unavailable");
  expect(detail).toContain("promised secure aggregation");
  // Nor in a later step, nor after an attempt that began as it should.
  coordinator.ask(member.client, opening(3, { attempt: 2 }, { attempt: 2 }));
  await member.device.event("sent");
  expect(await refused(member, { ...plain, attempt: 2, step: 2 })).toMatchObject({ code });
  expect(await refused(member, { ...plain, attempt: 3 })).toMatchObject({ code });
  expect(member.device.events.entries.filter(({ type }) => type === "sent")).toHaveLength(1);
});

test.each<[flag: string, floors: DeviceFloors]>([
  ["--require-secure", { requireSecure: true }],
  ["a smallest cohort", { minimumSurvivors: 4 }],
])("a device with %s takes no part in a run in the clear", async (_, floors) => {
  const plain = "run-00000002" as RunId;
  coordinator.runs = [...coordinator.runs, planOf(plain)];
  const { device } = await holding(floors);
  expect(await device.event("declined", ({ run }) => run === plain)).toMatchObject({ code: "secure_floor" });
  expect(await coordinator.messages.next(({ type }) => type === "offer")).toMatchObject({
    payload: { runs: [theRun] },
  });
});

test("a secure question in a run that is in the clear is refused", async () => {
  coordinator.runs = [planOf(theRun)];
  expect(await refused(await join(), opening(3, {}))).toMatchObject({ code: "bad_request" });
});

test.each([1, 2, 3, 4])("step %i without a session is refused: its keys are gone", async (step) => {
  const message = Uint8Array.of(...new TextEncoder().encode("SA1"), 2 * step + 1, ...new Uint8Array(32));
  const question = opening(3, {}, { step, message: Buffer.from(message).toString("base64") });
  const { code, detail } = await refused(await join(), question);
  expect(code).toBe("wrong_state");
  expect(detail).toContain("no keys for it");
});

test.each<[what: string, change: Partial<StepQuestion>]>([
  ["no base64", { message: "~~~" }],
  ["an empty message", { message: "" }],
  ["a message of another step", { message: Buffer.from(`SA1\u0005${"0".repeat(32)}`).toString("base64") }],
  ["a step that there is not", { step: 5 }],
])("%s is refused", async (_, change) => {
  expect(await refused(await join(), opening(3, {}, change))).toMatchObject({ code: "secure_message" });
});

test("an attempt is opened once: other parameters under the same address are refused", async () => {
  const member = await join();
  coordinator.ask(member.client, opening(3, {}));
  await member.device.event("sent");
  expect(await refused(member, opening(4, {}))).toMatchObject({ code: "secure_already_answered" });
});

/** `averaging` that gives NaN once `release` is called. */
function diverging(): { half: ClientHalf; release: () => void; diverged: Promise<void> } {
  const { half: held, release } = heldUp();
  let resolve!: () => void;
  const diverged = new Promise<void>((done) => {
    resolve = done;
  });
  const half: ClientHalf = {
    ...held,
    async work(input) {
      const { contribution, next } = await held.work(input);
      contribution.values[4] = Number.NaN;
      resolve();
      return { contribution, next };
    },
  };
  return { half, release, diverged };
}

test("an update that is not finite is never masked", async () => {
  const { half, release } = diverging();
  await join({ clientHalf: () => half });
  for (const _ of [1, 2, 3]) await join();
  const script = new SecureScript({ coordinator, members, model });
  await script.collect();
  await script.collect();
  const [faulty, ...others] = members;
  script.tell(faulty!.client);
  release();
  expect(await faulty!.device.event("declined")).toMatchObject({ code: "training_diverged", hint: { step: 2 } });
  const { total } = await script.finish(async () => [faulty!.client]);
  expect(total.contributors).toBe(others.length);
});

test("a device whose training failed deals no shares", async () => {
  const { half, release, diverged } = diverging();
  await join({ clientHalf: () => half });
  for (const _ of [1, 2]) await join();
  const script = new SecureScript({ coordinator, members, model });
  await script.collect();
  release();
  await diverged;
  script.tell(members[0]!.client);
  expect(await members[0]!.device.event("declined")).toMatchObject({ code: "training_diverged", hint: { step: 1 } });
});

test("a run whose sums a device refuses is not answered, and its other runs are", async () => {
  const plain = "run-00000002" as RunId;
  coordinator.runs = [...coordinator.runs, planOf(plain)];
  const member = await join();
  expect(await refused(member, opening(6, { threshold: 2 }))).toMatchObject({ code: "secure_floor" });
  coordinator.ask(member.client, questionOf(coordinator.publish(model), { run: plain }));
  expect(await member.device.event("sent")).toMatchObject({ protection: "none", hint: { run: plain } });
});

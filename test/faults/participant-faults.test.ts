import { createServer } from "node:net";
import { ProtocolError, routes } from "@tributary/protocol";
import { expect, test } from "vitest";
import type { ScriptedCoordinator } from "../support/participant-coordinator.ts";
import { questionOf, theRun } from "../support/participant-device.ts";
import { scriptedRoom } from "../support/participant-room.ts";
import { averaging } from "../support/participant-softmax.ts";

const start = Float32Array.of(0.1, -0.2, 0, 0.3, 0.2, 0.1);
let coordinator: ScriptedCoordinator;
const { join } = scriptedRoom((fresh) => {
  coordinator = fresh;
});
const posts = () => coordinator.requests.entries.filter((request) => request.startsWith("POST "));
const isAnswer = (request: string) => request.startsWith("PUT ");

test("C4: when the reply to an upload is lost, the same bytes are sent again and found to be there already", async () => {
  const device = join();
  const client = await device.offered();
  let lost = 0;
  coordinator.disturb = (request) => (isAnswer(request) && lost++ === 0 ? "lose the reply" : undefined);
  coordinator.ask(client, questionOf(coordinator.publish(start)));
  expect(await device.event("sent")).toMatchObject({ duplicate: true });
  const [first, second] = coordinator.answers.entries;
  expect(second!.bytes).toEqual(first!.bytes);
  expect(device.trainer.batches).toBe(2 * 4);
});

test("C3: an upload that is told to wait is repeated; one that is too late is dropped in silence", async () => {
  const device = join();
  const client = await device.offered();
  let tries = 0;
  coordinator.disturb = (request) => {
    if (isAnswer(request) && tries++ < 2) throw new ProtocolError("too_early", "soon", { retryAfterMs: 50 });
    return undefined;
  };
  coordinator.ask(client, questionOf(coordinator.publish(start)));
  await device.event("sent");
  expect(coordinator.requests.entries.filter(isAnswer)).toHaveLength(3);

  coordinator.disturb = (request) => {
    if (isAnswer(request)) throw new ProtocolError("phase_closed", "the step closed a second ago");
    return undefined;
  };
  coordinator.ask(client, questionOf(coordinator.publish(start), { round: 2 }));
  expect(await device.event("dropped")).toMatchObject({ reason: "the step closed a second ago" });
  expect(coordinator.messages.entries.map(({ type }) => type)).not.toContain("decline");
});

test("an upload is given up at the step's deadline", async () => {
  const device = join();
  const client = await device.offered();
  coordinator.disturb = (request) => {
    if (isAnswer(request)) throw new ProtocolError("storage_full", "no space left");
    return undefined;
  };
  coordinator.ask(client, questionOf(coordinator.publish(start), { remainingMs: 0 }));
  expect(await device.event("dropped")).toMatchObject({ reason: "no space left" });
  expect(coordinator.requests.entries.filter(isAnswer)).toHaveLength(1);
});

test("A6: a device finds its way back when the coordinator restarts while it trains", async () => {
  const device = join();
  const client = await device.offered();
  coordinator.ask(client, questionOf(coordinator.publish(start), { epochs: 50 }));
  await device.event("training");
  await coordinator.stop();
  await device.event("trained");
  expect(coordinator.answers.entries).toEqual([]);
  await coordinator.start();
  await device.event("sent");
  expect(coordinator.answers.entries).toMatchObject([{ client }]);
  const closed = coordinator.messages.entries.findIndex(({ type }) => type === "closed");
  expect(closed).toBeGreaterThan(0);
  await coordinator.messages.next(({ type }) => type === "offer", closed);
  coordinator.ask(client, questionOf(coordinator.publish(start), { round: 2 }));
  await device.event("sent", ({ hint }) => hint.round === 2);
  expect(device.trainer.batches).toBe(50 * 4 + 2 * 4);
});

test("A11: without a single hint, the poll carries the round", async () => {
  const device = join();
  const client = await device.offered();
  coordinator.ask(client, questionOf(coordinator.publish(start)), "silently");
  await device.event("sent");
  expect(coordinator.answers.entries).toHaveLength(1);
});

test("a device that the coordinator has forgotten enrols again with the same key, and offers itself again", async () => {
  const device = join();
  const client = await device.offered();
  coordinator.ask(client, questionOf(coordinator.publish(start), { epochs: 1_000_000 }));
  await device.event("training");
  const from = device.events.entries.length;
  coordinator.forgetClients();
  expect(await device.events.next(({ type }) => type === "connected", from)).toMatchObject({ client });
  expect(coordinator.enrolments.map(({ publicKey }) => publicKey)).toEqual(
    Array(2).fill(coordinator.enrolments[0]!.publicKey),
  );
  expect(await device.event("dropped")).toMatchObject({ reason: "the coordinator no longer knows this device" });
  // The very step that it was asked before: to this coordinator it is the first.
  coordinator.ask(client, questionOf(coordinator.publish(start)), "silently");
  await device.event("sent");
  expect(coordinator.answers.entries).toMatchObject([{ client }]);
});

test("E1: a session that has ended is renewed with the key, in the middle of a step, without a new enrolment", async () => {
  const device = join();
  const client = await device.offered();
  coordinator.ask(client, questionOf(coordinator.publish(start), { epochs: 2_000 }));
  await device.event("training");
  coordinator.expireSessions();
  await device.event("sent");
  expect(coordinator.enrolments).toHaveLength(1);
  expect(coordinator.logins).toMatchObject([{ client }]);
  expect(coordinator.answers.entries).toMatchObject([{ client }]);
});

test("D10: a device whose training diverges declines, sends nothing, and answers the next round", async () => {
  const device = join({
    clientHalf: () => ({
      ...averaging,
      async work(input) {
        const result = await averaging.work(input);
        if (input.question.settings["learningRate"] === 9) result.contribution.values[3] = Number.NaN;
        return result;
      },
    }),
  });
  const client = await device.offered();
  const model = coordinator.publish(start);
  coordinator.ask(client, questionOf(model, { learningRate: 9 }));
  const detail = "training gave NaN at index 3 of 6; nothing was sent (try a smaller learning rate)";
  expect(await coordinator.messages.next(({ type }) => type === "decline")).toMatchObject({
    payload: { run: theRun, round: 1, attempt: 1, step: 0, code: "training_diverged", detail },
  });
  expect(await device.event("declined")).toMatchObject({ code: "training_diverged", detail });
  expect(coordinator.requests.entries.filter(isAnswer)).toEqual([]);
  coordinator.ask(client, questionOf(model, { round: 2 }));
  await device.event("sent");
});

test("F1: a model whose bytes are not the ones named is not used", async () => {
  const device = join();
  const client = await device.offered();
  const forged = new Uint8Array(start.map((weight) => weight + 1).buffer);
  coordinator.ask(client, questionOf(coordinator.publish(start, forged)));
  const declined = await device.event("declined");
  expect(declined.code).toBe("model_hash_mismatch");
  expect(declined.detail).toMatch(/expected 24 bytes with SHA-256 [0-9a-f]{64}, found 24 with [0-9a-f]{64}; not used/);
  expect(device.trainer.batches).toBe(0);
  await coordinator.messages.next(({ type }) => type === "decline");
});

test("F4: a model longer than announced is not read to its end", async () => {
  const device = join();
  const client = await device.offered();
  coordinator.ask(client, questionOf(coordinator.publish(start, new Uint8Array(1 << 20))));
  expect(await device.event("declined")).toMatchObject({
    code: "bad_request",
    detail: "the response is longer than the 24 bytes expected",
  });
});

test("an answer of another shape than asked is refused on the device", async () => {
  const device = join();
  const client = await device.offered();
  coordinator.ask(client, questionOf(coordinator.publish(start), { answer: { element: "f32", length: 8 } }));
  expect(await device.event("declined")).toMatchObject({
    code: "bad_update",
    detail: "the step asks for 8 f32, this device's answer is 6 f32",
  });
});

test("F8: malformed and unknown messages are ignored and told of; the next good one is acted on", async () => {
  const device = join();
  const client = await device.offered();
  const bad: [string, unknown][] = [
    ["ask", null],
    ["ask", "everything"],
    ["ask", { run: "../../etc", round: 1, attempt: 1, step: 0, kind: "train" }],
    ["ask", { run: theRun, round: 1e99, attempt: 0, step: 0.5, kind: "steal" }],
    ["dismiss", { run: theRun }],
    ["run", [theRun]],
    ["reformat", { disk: "C:" }],
  ];
  for (const [event, payload] of bad) coordinator.tell(client, event, payload);
  coordinator.ask(client, questionOf(coordinator.publish(start)));
  await device.event("sent");
  const ignored = device.events.entries.filter(({ type }) => type === "ignored");
  expect(ignored.map((event) => event.type === "ignored" && event.what)).toEqual(bad.map(([event]) => event));
});

test("a question for another step than the hint's is not answered", async () => {
  const device = join();
  const client = await device.offered();
  const question = questionOf(coordinator.publish(start));
  const hint = coordinator.ask(client, question, "silently");
  Object.assign(question, { round: 7 });
  coordinator.tell(client, "ask", hint);
  expect(await device.event("declined")).toMatchObject({ code: "bad_request" });
  expect(device.trainer.batches).toBe(0);
});

test("a device that speaks another protocol version is told so and ends", async () => {
  coordinator.disturb = (request) => {
    if (request !== `POST ${routes.clients()}`) return undefined;
    throw new ProtocolError("upgrade_required", "this coordinator speaks version 2, the device 1: upgrade the device");
  };
  const device = join();
  await expect(device.participant.done).rejects.toMatchObject({
    code: "upgrade_required",
    message: "this coordinator speaks version 2, the device 1: upgrade the device",
  });
  expect(device.participant.state.kind).toBe("failed");
  expect(posts()).toHaveLength(1);
});

test("a join token that is refused ends the device; a coordinator that is starting does not", async () => {
  let busy = 2;
  coordinator.disturb = (request) => {
    if (!request.startsWith("POST")) return undefined;
    if (busy-- > 0) throw new ProtocolError("server_restarting", "one moment");
    throw new ProtocolError("unauthorized", "no such join token");
  };
  const device = join({ joinToken: "guess" });
  await expect(device.participant.done).rejects.toMatchObject({ code: "unauthorized", message: "no such join token" });
  expect(posts()).toHaveLength(3);
});

test("a device that the operator revoked ends with that reason instead of enrolling again", async () => {
  coordinator.disturb = (request) => {
    if (request === "GET /v1/state") throw new ProtocolError("forbidden", "this device was revoked by the operator");
    return undefined;
  };
  const device = join();
  await expect(device.participant.done).rejects.toMatchObject({
    code: "forbidden",
    message: expect.stringMatching(/revoked/),
  });
  expect(coordinator.enrolments).toHaveLength(1);
});

test("a mistake of ours is not taken for a refusal: the device fails with it", async () => {
  const device = join({
    clientHalf: () => ({
      ...averaging,
      work() {
        throw new TypeError("x is not a function");
      },
    }),
  });
  coordinator.ask(await device.offered(), questionOf(coordinator.publish(start)));
  await expect(device.participant.done).rejects.toThrow("x is not a function");
  expect(await device.event("failed")).toMatchObject({ error: { message: "x is not a function" } });
});

test("where nobody listens, a device in a hurry says where it looked and what to check; another keeps trying", async () => {
  const nobody = createServer();
  await new Promise<void>((resolve) => nobody.listen(0, "127.0.0.1", resolve));
  const { port } = nobody.address() as { port: number };
  await new Promise((resolve) => nobody.close(resolve));
  const address = `http://127.0.0.1:${port}`;
  const hasty = join({ coordinator: address, failFast: { connectTimeoutMs: 10_000 } });
  await expect(hasty.participant.done).rejects.toMatchObject({ code: "coordinator_unreachable" });
  await expect(hasty.participant.done).rejects.toThrow(
    new RegExp(`^${address} does not answer \\(connect ECONNREFUSED .*\\); check that it runs, the address and port`),
  );
  const patient = join({ coordinator: address });
  await patient.event("waiting", ({ retryInMs }) => retryInMs > 1_000);
  expect(patient.participant.state.kind).not.toBe("failed");
});

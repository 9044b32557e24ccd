import { type Hint, type RunRecord, routes } from "@tributary/protocol";
import { beforeEach, expect, test } from "vitest";
import { call, createRun, runThat } from "../support/coordinator-calls.ts";
import { HandDevice, tinyUpdate } from "../support/coordinator-device.ts";
import { localCoordinator, sharedCoordinator } from "../support/coordinator-local.ts";
import { rawWebSocket } from "../support/raw-websocket.ts";
import { specOf } from "../support/specs.ts";

const coordinator = sharedCoordinator();
let run: string;
let honest: HandDevice;
let hint: Hint;

/** A round that waits for one honest device, while somebody else misbehaves. */
beforeEach(async () => {
  const spec = specOf({ cohort: { size: 1, minimum: 1, overSelect: 1 }, stop: { rounds: 1 } });
  ({ run } = await createRun(coordinator.url, spec));
  honest = await HandDevice.joined(coordinator.url, run, { name: "honest" });
  hint = await honest.asked();
});

/** The coordinator still answers everyone else, and the round goes through. */
async function othersAreServed(): Promise<void> {
  expect((await call(coordinator.url, "GET /readyz")).status).toBe(200);
  expect((await honest.emit("progress", { ...place(), state: "training", done: 0.5 })).ok).toBe(true);
  expect((await honest.answer(hint, tinyUpdate(1))).status).toBe(200);
  const { phase, reason } = await runThat(coordinator.url, run, ({ phase }) => phase === "finished");
  expect({ phase, reason }).toEqual({ phase: "finished", reason: "all 1 rounds done" });
}

const place = () => {
  const { run, round, attempt, step } = hint;
  return { run, round, attempt, step };
};

/** An admitted device's socket, spoken byte by byte. */
async function admitted() {
  const { token } = await HandDevice.enrol(coordinator.url, { name: "hostile" });
  const socket = await rawWebSocket(coordinator.url);
  await socket.received.next((text) => text.startsWith("0"));
  socket.send(`40${JSON.stringify({ token })}`);
  await socket.received.next((text) => text.startsWith("40"));
  return socket;
}

const events = ["offer", "progress", "decline", "leave"];

test("D6: events without an acknowledgement, without a payload or with null do no harm", async () => {
  const hostile = await HandDevice.enrol(coordinator.url);
  const socket = await hostile.connect();
  for (const event of events) {
    socket.emit(event);
    socket.emit(event, null);
    socket.emit(event, null, null, null);
    socket.emit(event, () => undefined);
    socket.emit(event, { acknowledge: "not a function" }, "last");
  }
  for (const event of events.slice(0, 3)) {
    expect(await hostile.emit(event, null)).toMatchObject({ ok: false, problem: { code: "bad_request" } });
    expect(await hostile.emit(event)).toMatchObject({ ok: false, problem: { code: "bad_request" } });
  }
  await othersAreServed();
});

test.each<[what: string, event: string, payload: unknown, detail: RegExp]>([
  ["a string", "offer", "run-00000001", /socket event offer: must be object/],
  ["a list", "offer", [], /socket event offer/],
  ["an unknown field", "offer", { runs: [], admin: true }, /admin: unknown field/],
  ["what is no run's id", "offer", { runs: ["../../etc"] }, /runs\.0: must match pattern/],
  ["65 runs", "offer", { runs: Array(65).fill("run-00000001") }, /runs: must not have more than 64 items/],
  [
    "a share above 1",
    "progress",
    { run: "run-00000001", round: 1, attempt: 1, step: 0, state: "training", done: 2 },
    /done: must be <= 1/,
  ],
  [
    "a reason of 501 letters",
    "decline",
    { run: "run-00000001", round: 1, attempt: 1, step: 0, code: "x", detail: "x".repeat(501) },
    /detail: must not have more than 500 characters/,
  ],
])("an event with %s is refused with what was expected", async (_what, event, payload, detail) => {
  const hostile = await HandDevice.enrol(coordinator.url);
  await hostile.connect();
  const refused = await hostile.emit(event, payload);
  expect(refused).toMatchObject({ ok: false, problem: { code: "bad_request", status: 400 } });
  expect(refused.problem!.detail).toMatch(detail);
});

test("events about a run that does not exist are refused", async () => {
  const hostile = await HandDevice.enrol(coordinator.url);
  await hostile.connect();
  const nowhere = { run: "run-00000000", round: 1, attempt: 1, step: 0 };
  const refusals = [
    await hostile.emit("progress", { ...nowhere, state: "training", done: 0 }),
    await hostile.emit("decline", { ...nowhere, code: "bad_data", detail: "none" }),
  ];
  for (const refused of refusals) expect(refused).toMatchObject({ ok: false, problem: { code: "not_found" } });
});

test("a device that was not asked cannot decline for those who were", async () => {
  const hostile = await HandDevice.joined(coordinator.url, run, { name: "hostile" });
  await hostile.emit("decline", { ...place(), code: "bad_data", detail: "not mine to say" });
  await othersAreServed();
  const { body } = await call<{ survivors: string[]; dropped: unknown[] }[]>(
    coordinator.url,
    `GET ${routes.rounds(run)}`,
  );
  expect(body).toMatchObject([{ survivors: [honest.client], dropped: [] }]);
});

test("an event that the coordinator does not know is refused, not left without an answer", async () => {
  const hostile = await HandDevice.enrol(coordinator.url);
  const socket = await hostile.connect();
  const refused = await socket.timeout(5_000).emitWithAck("rollback", { version: 1 });
  expect(refused).toMatchObject({ ok: false, problem: { code: "bad_request" } });
  expect(refused.problem.detail).toContain("rollback");
});

test("D5: __proto__ in a payload is an unknown field and pollutes nothing", async () => {
  const socket = await admitted();
  socket.send('421["offer",{"runs":[],"__proto__":{"polluted":true}}]');
  const first = await socket.received.next((text) => text.startsWith("431"));
  expect(first).toContain("bad_request");
  socket.send('422["offer",{"runs":[],"constructor":{"prototype":{"polluted":true}}}]');
  expect(await socket.received.next((text) => text.startsWith("432"))).toContain("bad_request");
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  await othersAreServed();
});

test("D5: JSON as deep as a message can be is refused by the schema", async () => {
  const socket = await admitted();
  const depth = 32_000;
  socket.send(`421["offer",{"runs":${"[".repeat(depth)}${"]".repeat(depth)}}]`);
  const reply = await socket.received.next((text) => text.startsWith("431"));
  expect(reply).toContain('"code":"bad_request"');
  socket.send(`4299999999999999["leave",{"deep":${"[".repeat(depth)}${"]".repeat(depth)}}]`);
  await othersAreServed();
});

test.each<[row: string, payload: string | Uint8Array, options: { opcode?: number; masked?: boolean }]>([
  ["D1: a frame over 64 KiB", "4".repeat(70_000), {}],
  ["D1: 100,000-deep JSON", `42["offer",${"[".repeat(100_000)}${"]".repeat(100_000)}]`, {}],
  ["D2: invalid UTF-8", Uint8Array.of(0x34, 0xff, 0xfe), {}],
  ["D2: an unmasked frame", '42["leave",{}]', { masked: false }],
  ["D3: an unknown engine packet", "9what", {}],
  ["D3: an empty frame", "", {}],
  ["D4: bad JSON", "42[", {}],
  ["D4: an event whose name is no string", "42[{}]", {}],
  ["D4: a reserved event", '42["disconnect"]', {}],
  ["D4: 11 attachments", '4511-["offer",{"_placeholder":true,"num":0}]', {}],
  ["D4: a thousand million attachments", '451000000000-["offer"]', {}],
  ["D4: a stray binary frame", Uint8Array.of(1, 2, 3), { opcode: 2 }],
])("%s closes that connection and nobody else's", async (_row, payload, options) => {
  const socket = await admitted();
  socket.send(payload, options);
  const code = await socket.closed;
  if (_row.startsWith("D1")) expect(code).toBe(1009);
  if (_row === "D2: invalid UTF-8") expect(code).toBe(1007);
  if (_row === "D2: an unmasked frame") expect(code).toBe(1002);
  await othersAreServed();
});

test("D7: of a burst of 10,000 events a few dozen are served, then the device is cut off", async () => {
  const hostile = await HandDevice.enrol(coordinator.url);
  const socket = await hostile.connect();
  const codes: (string | undefined)[] = [];
  for (let i = 0; i < 10_000; i++) {
    socket.emit("offer", { runs: [] }, (ack: { problem?: { code: string } }) => codes.push(ack.problem?.code));
  }
  expect(await hostile.closed()).toBe("io server disconnect");
  // 60 at once, 20 more for each second that the burst takes to be read, then 60 refusals.
  expect(codes.length).toBeLessThan(300);
  expect(codes).toContain("rate_limited");
  const again = new HandDevice(coordinator.url, hostile);
  const refused = await again.connect().catch((error: unknown) => error);
  expect(refused).toMatchObject({ data: { code: "rate_limited", retryable: true } });
  const { retryAfterMs } = (refused as { data: { retryAfterMs: number } }).data;
  expect(retryAfterMs).toBeGreaterThan(30_000);
  expect(retryAfterMs).toBeLessThanOrEqual(60_000);
  await othersAreServed();
});

test("D7: a burst of events that nobody knows is cut off as well", async () => {
  const hostile = await HandDevice.enrol(coordinator.url);
  const socket = await hostile.connect();
  for (let i = 0; i < 10_000; i++) socket.emit("nonsense", i);
  expect(await hostile.closed()).toBe("io server disconnect");
  await othersAreServed();
});

test("E1: a socket without a token, or with one that nobody was given, is refused before it is admitted", async () => {
  const none = new HandDevice(coordinator.url, { client: honest.client, token: undefined as unknown as string });
  await expect(none.connect()).rejects.toMatchObject({ data: { code: "unauthorized" } });
  for (const token of ["", "garbage", "tribdev_AAAA", `${honest.token}x`, honest.client]) {
    const device = new HandDevice(coordinator.url, { client: honest.client, token });
    await expect(device.connect()).rejects.toMatchObject({ data: { code: "unauthorized", retryable: false } });
  }
  const socket = await rawWebSocket(coordinator.url);
  socket.send('40{"token":{"toString":"x"}}');
  expect(await socket.received.next((text) => text.startsWith("44"))).toContain("unauthorized");
  await othersAreServed();
});

test("E4: a revoked device's socket is closed at once, and neither socket nor request admits it again", async () => {
  const spec = specOf({ cohort: { size: 2, minimum: 1, overSelect: 1 }, stop: { rounds: 1 } });
  const { run: both } = await createRun(coordinator.url, spec);
  const doomed = await HandDevice.joined(coordinator.url, both, { name: "doomed" });
  await honest.offer(both, run);
  const asked = await doomed.asked();
  const revokedAt = performance.now();
  expect((await call(coordinator.url, `DELETE ${routes.client(doomed.client)}`)).status).toBe(204);
  await doomed.closed();
  expect(performance.now() - revokedAt).toBeLessThan(1_000);
  const again = new HandDevice(coordinator.url, doomed);
  await expect(again.connect()).rejects.toMatchObject({ data: { code: "forbidden" } });
  expect(await doomed.answer(asked, tinyUpdate(1))).toMatchObject({ status: 403, body: { code: "forbidden" } });
  expect((await call(coordinator.url, `GET ${routes.state()}`, { token: doomed.token })).status).toBe(403);
  // Its part of the attempt counts as dropped, and the round goes on with the other.
  await honest.answer(asked, tinyUpdate(1));
  await runThat(coordinator.url, both, ({ phase }) => phase === "finished");
  const { body } = await call<unknown[]>(coordinator.url, `GET ${routes.rounds(both)}`);
  expect(body).toMatchObject([
    { survivors: [honest.client], dropped: [{ client: doomed.client, reason: "revoked by the operator" }] },
  ]);
  expect((await call(coordinator.url, `DELETE ${routes.client(doomed.client)}`)).status).toBe(204);
  expect((await call(coordinator.url, `DELETE ${routes.client("client-00000000")}`)).status).toBe(404);
});

test("E8: a page of another origin, or a request for another host, opens no socket", async () => {
  for (const headers of [
    { origin: "https://evil.example" },
    { origin: "null" },
    { origin: "http://localhost:1" },
    { host: "evil.example" },
  ]) {
    expect((await rawWebSocket(coordinator.url, headers)).status).toMatch(/ 40[03] /);
  }
  const own = await rawWebSocket(coordinator.url, { origin: coordinator.url });
  expect(own.status).toContain(" 101 ");
});

test("only WebSockets are spoken: Socket.IO's polling is refused", async () => {
  const polled = await call(coordinator.url, "GET /socket.io/?EIO=4&transport=polling");
  expect(polled.status).toBe(400);
});

test("D14: 200 devices that connect at the same moment are all there", async () => {
  const { run: crowded } = await createRun(
    coordinator.url,
    specOf({ cohort: { size: 200, minimum: 200, overSelect: 1 }, stop: { rounds: 1 } }),
  );
  const enrolled = await Promise.all(Array.from({ length: 200 }, () => HandDevice.enrol(coordinator.url)));
  await Promise.all(enrolled.map((device) => device.connect()));
  await Promise.all(enrolled.map((device) => device.offer(crowded)));
  const asked = await Promise.all(enrolled.map((device) => device.asked()));
  expect(new Set(asked.map(({ run }) => run))).toEqual(new Set([crowded]));
  await Promise.all(enrolled.map((device, i) => device.answer(asked[i]!, tinyUpdate(1))));
  const done: RunRecord = await runThat(coordinator.url, crowded, ({ phase }) => phase === "finished");
  expect(done.round).toBe(1);
  await othersAreServed();
});

test("D14: more devices than the coordinator admits in a second are told when to come again, each at its own time", async () => {
  const { url } = await localCoordinator({ handshakesPerSecond: 1 });
  const devices = await Promise.all(Array.from({ length: 12 }, () => HandDevice.enrol(url)));
  const outcomes = await Promise.allSettled(devices.map((device) => device.connect()));
  const refused = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason.data] : []));
  expect(refused.length).toBeGreaterThan(0);
  expect(refused.length).toBeLessThanOrEqual(11);
  for (const problem of refused)
    expect(problem).toMatchObject({ code: "rate_limited", retryAfterMs: expect.any(Number) });
  expect(new Set(refused.map(({ retryAfterMs }) => retryAfterMs)).size).toBeGreaterThan(1);
});

test("A7: a coordinator that stops tells each device when to come back, at a time of its own", async () => {
  const stopping = await localCoordinator();
  const devices = await Promise.all([1, 2, 3].map(() => HandDevice.enrol(stopping.url)));
  await Promise.all(devices.map((device) => device.connect()));
  await stopping.close();
  await Promise.all(devices.map((device) => device.closed()));
  const waits = devices.map(({ heard }) => heard.entries.find(({ event }) => event === "restarting")?.payload);
  for (const wait of waits) expect(wait).toEqual({ retryAfterMs: expect.any(Number) });
  expect(new Set(waits.map((wait) => (wait as { retryAfterMs: number }).retryAfterMs)).size).toBeGreaterThan(1);
});

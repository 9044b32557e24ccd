import { expect, test } from "vitest";
import type { ScriptedCoordinator } from "../support/participant-coordinator.ts";
import { type deviceOf, planOf, questionOf, theRun } from "../support/participant-device.ts";
import { scriptedRoom } from "../support/participant-room.ts";
import { heldUp, joinSecurely, type Member, SecureScript } from "../support/participant-secure-federation.ts";

const start = Float32Array.of(0.1, -0.2, 0, 0.3, 0.2, 0.1);
let coordinator: ScriptedCoordinator;
const { join, keep } = scriptedRoom((fresh) => {
  coordinator = fresh;
});

async function joinMany(count: number, different: Parameters<typeof deviceOf>[1] = {}): Promise<Member[]> {
  coordinator.runs = [planOf(theRun, { secureAggregation: "required" })];
  const members = await Promise.all(
    Array.from({ length: count }, (_, index) => joinSecurely(coordinator, index, different)),
  );
  keep(...members.map(({ device }) => device));
  return members;
}

const heard = (type: "decline" | "leave" | "offer", from = 0) =>
  coordinator.messages.next((message) => message.type === type, from);
const count = (type: string) => coordinator.messages.entries.filter((message) => message.type === type).length;
const declined = (entry: unknown) => (entry as { payload: unknown }).payload;

test("a device paused at work declines, withdraws its offer, and offers itself again when it may go on", async () => {
  const { half, release } = heldUp();
  const device = join({ clientHalf: () => half });
  const client = await device.offered();
  coordinator.ask(client, questionOf(coordinator.publish(start)));
  await device.event("training");
  device.participant.pause();
  expect(declined(await heard("decline"))).toMatchObject({ round: 1, attempt: 1, step: 0, code: "paused" });
  await heard("leave");
  await device.event("withdrawn");
  expect(count("decline")).toBe(1);

  const from = coordinator.messages.entries.length;
  release();
  device.participant.resume();
  expect(declined(await heard("offer", from))).toEqual({ runs: [theRun] });
  // The step was open all the time: its answer counts after all.
  await device.event("sent");
});

test("a device paused between rounds withdraws its offer at once, and declines what crosses with that", async () => {
  const device = join();
  const client = await device.offered();
  device.participant.pause();
  await heard("leave");
  coordinator.ask(client, questionOf(coordinator.publish(start), { round: 3 }));
  expect(declined(await heard("decline"))).toMatchObject({ round: 3, code: "paused" });
  expect(device.trainer.batches).toBe(0);
});

test("a device that is paused when it joins, or when it connects again, offers nothing until it may go on", async () => {
  const device = join();
  device.participant.pause();
  await device.event("connected");
  await expect.poll(() => coordinator.requests.entries.includes("GET /v1/state")).toBe(true);
  coordinator.dropConnections();
  await device.event("disconnected");
  await expect.poll(() => device.events.entries.filter(({ type }) => type === "connected").length).toBe(2);
  expect([count("offer"), count("leave")]).toEqual([0, 0]);
  device.participant.resume();
  await heard("offer");
});

test("a pause after the work is done does not take the update back", async () => {
  const device = join();
  const client = await device.offered();
  coordinator.disturb = (request) => {
    if (request.startsWith("PUT")) device.participant.pause();
    return undefined;
  };
  coordinator.ask(client, questionOf(coordinator.publish(start)));
  await device.event("sent");
  await heard("leave");
  expect(count("decline")).toBe(0);
});

test("a device paused once its masked part is in the sum helps to open it, and withdraws after that", async () => {
  const members = await joinMany(4);
  const script = new SecureScript({ coordinator, members, model: start });
  for (const step of [0, 1, 2]) expect((await script.collect()).length, `step ${step}`).toBe(4);
  members[0]!.device.participant.pause();
  const { total } = await script.finish();
  expect(total.contributors).toBe(4);
  await heard("leave");
  expect([count("decline"), count("leave")]).toEqual([0, 1]);
});

test("a device paused before its masked part has left drops out, and the others' sum is as without it", async () => {
  const { half, release } = heldUp();
  const others = await joinMany(3);
  const slow = await joinSecurely(coordinator, 3, { clientHalf: () => half });
  keep(slow.device);
  const members = [...others, slow];
  const script = new SecureScript({ coordinator, members, model: start });
  await script.collect();
  await script.collect();
  slow.device.participant.pause();
  await heard("leave");
  release();
  const from = coordinator.messages.entries.length;
  script.tell(slow.client);
  expect(declined(await heard("decline", from))).toMatchObject({ step: 2, code: "paused" });
  const { total } = await script.finish(async (step) => (step === 2 ? [slow.client] : []));
  expect(total.contributors).toBe(3);
});

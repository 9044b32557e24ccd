import { answersInMemory, identityInMemory } from "@tributary/participant";
import type { ClientId } from "@tributary/protocol";
import type { SecureLane } from "@tributary/secure-agg";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ScriptedCoordinator } from "../support/participant-coordinator.ts";
import { planOf, theRun } from "../support/participant-device.ts";
import {
  contributionOf,
  heldUp,
  joinSecurely,
  type Member,
  SecureScript,
  secureOptions,
} from "../support/participant-secure-federation.ts";

const model = Float32Array.of(0.1, -0.2, 0, 0.3, 0.2, 0.1);
const steps = [0, 1, 2, 3, 4];
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

async function joinMany(count: number, different: Parameters<typeof joinSecurely>[2] = {}): Promise<void> {
  const joining = Array.from({ length: count }, (_, index) => joinSecurely(coordinator, index, different));
  members = await Promise.all(joining);
}

/** What the devices' contributions add up to in an exact lane. */
async function exactSum(survivors: readonly Member[]): Promise<number[]> {
  const parts = await Promise.all(survivors.map(({ index }) => contributionOf(index, model)));
  const integers = parts.map(({ values }) => Array.from(values, (value) => Math.round(value * 2 ** 30)));
  return Array.from(model, (_, i) => integers.reduce((sum, part) => sum + part[i]!, 0) / 2 ** 30);
}

const sent = ({ device }: Member, step: number, attempt = 1) =>
  device.event("sent", ({ hint }) => hint.step === step && hint.attempt === attempt);

const answersAt = (client: ClientId, step: number, attempt = 1) =>
  coordinator.answers.entries.filter((entry) => {
    return entry.client === client && entry.path.includes(`/attempts/${attempt}/steps/${step}/`);
  });

test.each([3, 8])("%i devices add up exactly what each of them worked out", async (count) => {
  await joinMany(count);
  const { total } = await new SecureScript({ coordinator, members, model }).finish();
  expect([...total.lanes["model"]!]).toEqual(await exactSum(members));
  expect(total.contributors).toBe(count);
});

test("the weighted mean of bounded updates is as exact as its bits", async () => {
  await joinMany(4);
  const lanes: SecureLane[] = [{ name: "update", length: 6, encoding: { kind: "update", clip: 4, bits: 16 } }];
  const { total } = await new SecureScript({ coordinator, members, model, lanes }).finish();
  const unit = 4 / (2 ** 15 - 1);
  // Devices of 16 examples each draw their integer weights 2 or 3 of 16: 0.16 of the weight cap's 100.
  expect(total.weight).toBeGreaterThanOrEqual((4 * 2 * 100) / 16);
  expect(total.weight).toBeLessThanOrEqual((4 * 3 * 100) / 16);
  const parts = await Promise.all(members.map(({ index }) => contributionOf(index, model)));
  total.lanes["update"]!.forEach((mean, i) => {
    const values = parts.map((part) => part.values[i]!);
    expect(mean).toBeGreaterThan(Math.min(...values) - unit);
    expect(mean).toBeLessThan(Math.max(...values) + unit);
  });
});

test.each(steps)("the sum is that of the others when a device leaves before step %i", async (step) => {
  await joinMany(4);
  const [leaver, ...others] = members;
  const { total } = await new SecureScript({ coordinator, members, model }).finish(async (at) => {
    if (at !== step) return [];
    await leaver!.device.participant.leave();
    return [leaver!.client];
  });
  // From the third step on its vector is in the sum, and those that stayed remove its masks.
  const inSum = step <= 2 ? others : members;
  expect([...total.lanes["model"]!]).toEqual(await exactSum(inSum));
});

test("keys and shares travel while devices still train", async () => {
  const { half, release } = heldUp();
  await joinMany(3, { clientHalf: () => half });
  const script = new SecureScript({ coordinator, members, model });
  await script.collect();
  await script.collect();
  for (const { device } of members) {
    expect(device.events.entries.filter(({ type }) => type === "trained")).toEqual([]);
  }
  release();
  const { total } = await script.finish();
  expect([...total.lanes["model"]!]).toEqual(await exactSum(members));
});

test("a device tells what it sends: keys, shares, a masked vector, tags, shares", async () => {
  await joinMany(3);
  await new SecureScript({ coordinator, members, model }).finish();
  const [first] = members;
  await sent(first!, 4);
  const uploads = first!.device.events.entries.filter((event) => event.type === "sent");
  expect(uploads.map(({ protection }) => protection)).toEqual(["keys", "shares", "masked", "tags", "shares"]);
  expect(await first!.device.event("secured")).toMatchObject({
    clients: 3,
    minimumSurvivors: 3,
    threshold: 3,
    rule: "strict",
    small: true,
  });
});

test("every step asked again is answered with the same bytes", async () => {
  await joinMany(3);
  const script = new SecureScript({ coordinator, members, model });
  for (const step of steps) {
    const first = await script.ask();
    await Promise.all(members.map((member) => sent(member, step)));
    const again = await script.ask();
    for (const { client } of members) expect(again.get(client)).toEqual(first.get(client));
    for (const [client, bytes] of again) await script.session.receive(client, bytes);
    if (step < 4) script.session.advance();
  }
  expect(members.map(({ device }) => device.trainer.batches)).toEqual([8, 8, 8]);
});

test("a coordinator that restarts and lost the answers gets them again", async () => {
  await joinMany(3);
  const script = new SecureScript({ coordinator, members, model });
  for (const _ of [0, 1, 2]) await script.collect();
  const first = await script.ask();
  await Promise.all(members.map((member) => sent(member, 3)));
  await coordinator.stop();
  const from = coordinator.answers.entries.length;
  for (const { client } of members) coordinator.ask(client, script.question(client), "silently");
  await coordinator.start();
  for (const { client } of members) {
    expect((await script.answerOf(client, from)).bytes).toEqual(first.get(client));
  }
});

test("another attempt on the same model has fresh keys and masks, and costs no training", async () => {
  await joinMany(3);
  const given = new SecureScript({ coordinator, members, model });
  for (const _ of [0, 1, 2]) await given.collect();
  const batches = members.map(({ device }) => device.trainer.batches);
  const { total } = await new SecureScript({ coordinator, members, model, attempt: 2 }).finish();
  expect([...total.lanes["model"]!]).toEqual(await exactSum(members));
  expect(members.map(({ device }) => device.trainer.batches)).toEqual(batches);
  for (const { client } of members) {
    for (const step of [0, 1, 2]) {
      const [[before], [after]] = [answersAt(client, step, 1), answersAt(client, step, 2)];
      // Past the header, nothing is the same: keys, shares, masked words.
      expect(after!.bytes.subarray(36, 68)).not.toEqual(before!.bytes.subarray(36, 68));
    }
  }
});

test("an attempt that ends while devices train costs them nothing", async () => {
  const { half, release } = heldUp();
  await joinMany(3, { clientHalf: () => half });
  const given = new SecureScript({ coordinator, members, model });
  await given.collect();
  for (const { client, device } of members) {
    coordinator.tell(client, "dismiss", { run: theRun, round: 1, attempt: 1, step: 1, reason: "too few dealt shares" });
    await device.event("dismissed");
  }
  const script = new SecureScript({ coordinator, members, model, attempt: 2 });
  await script.collect();
  release();
  const { total } = await script.finish();
  expect([...total.lanes["model"]!]).toEqual(await exactSum(members));
  for (const { device } of members) {
    expect(device.events.entries.filter(({ type }) => type === "trained")).toHaveLength(1);
    expect(device.events.entries.filter(({ type }) => type === "reused")).toHaveLength(1);
  }
});

test("a device that was dismissed while it trained sends no vector for that attempt, ever", async () => {
  const { half, release } = heldUp();
  await joinMany(3, { clientHalf: () => half });
  const given = new SecureScript({ coordinator, members, model });
  await given.collect();
  await given.collect();
  for (const { client, device } of members) {
    given.tell(client);
    await device.event("asked", ({ hint }) => hint.step === 2);
    coordinator.tell(client, "dismiss", { run: theRun, round: 1, attempt: 1, step: 2, reason: "the step closed" });
    await device.event("dismissed");
  }
  release();
  const { total } = await new SecureScript({ coordinator, members, model, attempt: 2 }).finish();
  expect([...total.lanes["model"]!]).toEqual(await exactSum(members));
  for (const { client } of members) expect(answersAt(client, 2, 1)).toEqual([]);
});

test("a coordinator that pretends to abandon a revealed attempt gets no second sum of that model", async () => {
  await joinMany(4);
  await new SecureScript({ coordinator, members, model }).finish();
  const again = new SecureScript({ coordinator, members: members.slice(1), model, attempt: 2 });
  for (const { client } of members.slice(1)) again.tell(client);
  for (const { client, device } of members.slice(1)) {
    expect(await device.event("declined")).toMatchObject({ code: "secure_already_revealed", hint: { attempt: 2 } });
    await coordinator.messages.next((message) => message.type === "decline" && message.client === client);
    expect(answersAt(client, 0, 2)).toEqual([]);
  }
});

test("after a reveal, the model may still be judged, and the next one trained", async () => {
  await joinMany(3);
  await new SecureScript({ coordinator, members, model }).finish();
  const lanes: SecureLane[] = [{ name: "judgement", length: 3, encoding: { kind: "exact", scaleBits: 20 } }];
  const judged = await new SecureScript({ coordinator, members, model, lanes, kind: "evaluate", attempt: 2 }).finish();
  expect(judged.total.lanes["judgement"]![0]).toBe(3 * 16);
  const next = new SecureScript({ coordinator, members, model, round: 2, modelVersion: 1 });
  expect((await next.finish()).total.contributors).toBe(3);
});

test("a device that began anew repeats its reveal, refuses any other, and joins no second sum of that model", async () => {
  const [answers, identity] = [answersInMemory(), identityInMemory()];
  await joinMany(2);
  members = [...members, await joinSecurely(coordinator, 2, { answers, identity })];
  const script = new SecureScript({ coordinator, members, model });
  for (const _ of [0, 1, 2, 3]) await script.collect();
  const { client, device } = members[2]!;
  const reveal = (await script.ask([client])).get(client);
  await sent(members[2]!, 4);
  await device.participant.leave();

  const { device: anew } = await joinSecurely(coordinator, 2, { answers, identity });
  members = [...members, { ...members[2]!, device: anew }];
  expect((await script.ask([client])).get(client)).toEqual(reveal);
  await anew.event("sent");

  const question = script.question(client);
  const message = Buffer.from(question.message!, "base64");
  // The hash of the survivors comes right after the header.
  message[36]! ^= 1;
  coordinator.ask(client, { ...question, message: message.toString("base64") });
  expect(await anew.event("declined")).toMatchObject({ code: "secure_already_answered" });

  new SecureScript({ coordinator, members: members.slice(0, 3), model, attempt: 2 }).tell(client);
  expect(await anew.event("declined", ({ hint }) => hint?.attempt === 2)).toMatchObject({
    code: "secure_already_revealed",
  });
});

test("what a device revealed is remembered when its run is over; the shares are not", async () => {
  const stores = [0, 1, 2].map(() => answersInMemory());
  members = await Promise.all(stores.map((answers, index) => joinSecurely(coordinator, index, { answers })));
  await new SecureScript({ coordinator, members, model }).finish();
  for (const store of stores) expect((await store.load(theRun)).last).toBeDefined();
  coordinator.finish(theRun);
  for (const { device } of members) {
    await device.event("runEnded");
    await device.participant.leave();
  }
  for (const store of stores) {
    const kept = await store.load(theRun);
    expect(kept.last).toBeUndefined();
    expect([...kept.revealed]).toEqual([`${theRun}/0/train`]);
  }
});

test("every backend's devices take part in one sum", async () => {
  const { crypto: _, kernel: __, ...portable } = secureOptions(0);
  const options = [portable, {}, {}];
  members = await Promise.all(options.map((different, index) => joinSecurely(coordinator, index, different)));
  const { total } = await new SecureScript({ coordinator, members, model }).finish();
  expect([...total.lanes["model"]!]).toEqual(await exactSum(members));
});

import { answersInMemory, identityInMemory } from "@tributary/participant";
import { ServerSession } from "@tributary/secure-agg";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ScriptedCoordinator } from "../support/participant-coordinator.ts";
import { planOf, theRun } from "../support/participant-device.ts";
import { contributionOf, joinSecurely, type Member, SecureScript } from "../support/participant-secure-federation.ts";
import { seededCrypto } from "../support/secure-agg-federation.ts";

// A coordinator that deviates, against whole devices over the real wire.

const model = Float32Array.of(0.1, -0.2, 0, 0.3, 0.2, 0.1);
const secure = planOf(theRun, { secureAggregation: "required" });
let coordinator: ScriptedCoordinator;
let members: Member[];

beforeEach(async () => {
  coordinator = await new ScriptedCoordinator().start();
  coordinator.runs = [secure];
  members = [];
});

afterEach(async () => {
  await Promise.all(members.map(({ device }) => device.participant.leave().catch(() => undefined)));
  await coordinator.stop();
});

async function joinMany(count: number): Promise<void> {
  members = await Promise.all(Array.from({ length: count }, (_, index) => joinSecurely(coordinator, index)));
}

const uploads = () => coordinator.answers.entries.length;

/** The one question, changed: what the device says, with nothing sent. */
async function refusalOf(member: Member, script: SecureScript, change: (message: Uint8Array) => void) {
  const question = script.question(member.client);
  const message = Buffer.from(question.message!, "base64");
  change(message);
  const before = uploads();
  coordinator.ask(member.client, { ...question, message: message.toString("base64") });
  const { code } = await member.device.event("declined");
  expect(uploads()).toBe(before);
  return code;
}

const exactSum = async (some: readonly Member[]) => {
  const parts = await Promise.all(some.map(({ index }) => contributionOf(index, model)));
  const integers = parts.map(({ values }) => Array.from(values, (value) => Math.round(value * 2 ** 30)));
  return Array.from(model, (_, i) => integers.reduce((sum, part) => sum + part[i]!, 0) / 2 ** 30);
};

test("a device on another roster than the rest deals shares that fit nobody's session, and is in no sum", async () => {
  await joinMany(7);
  const [target, ...others] = members;
  const script = new SecureScript({ coordinator, members, model });
  const advertisements = await script.ask();
  const keys = new Map<string, Uint8Array>(members.map(({ client, identityKey }) => [client, identityKey]));
  const floors = { minimumSurvivors: 3, rule: "strict", corrupt: 0.05 } as const;
  const ports = { crypto: seededCrypto("apart"), identityKey: async (client: string) => keys.get(client)! };
  const apart = ServerSession.open(script.session.parameters, floors, ports);
  for (const [client, bytes] of advertisements) {
    await script.session.receive(client, bytes);
    if (client !== others.at(-1)!.client) await apart.receive(client, bytes);
  }
  script.session.advance();
  apart.advance();

  const from = uploads();
  const lie = Buffer.from(apart.question(target!.client)).toString("base64");
  coordinator.ask(target!.client, { ...script.question(target!.client), message: lie });
  const { bytes } = await script.answerOf(target!.client, from);
  await expect(script.session.receive(target!.client, bytes)).rejects.toMatchObject({ code: "secure_message" });
  const { total } = await script.finish(async () => [target!.client]);
  expect([...total.lanes["model"]!]).toEqual(await exactSum(others));
});

test.each([
  ["survivors", 3],
  ["dealers", 2],
])("after one set of %s a device hears of no other", async (_, step) => {
  await joinMany(4);
  const script = new SecureScript({ coordinator, members, model });
  for (let at = 0; at < step; at++) await script.collect();
  await script.ask();
  const [first] = members;
  await first!.device.event("sent", ({ hint }) => hint.step === step);
  // The set's bitmap comes right after the header of 36 bytes: leave somebody out.
  const code = await refusalOf(first!, script, (message) => {
    message[36]! &= message[36]! - 1;
  });
  expect(code).toBe("secure_already_answered");
});

test("the tags of other survivors than the ones confirmed open nothing", async () => {
  await joinMany(4);
  const script = new SecureScript({ coordinator, members, model });
  for (const _ of [0, 1, 2, 3]) await script.collect();
  const code = await refusalOf(members[0]!, script, (message) => {
    // Three tags of 32 bytes, each after a byte that says that it is there.
    for (let tag = 0; tag < 3; tag++) message[message.length - 1 - 33 * tag]! ^= 1;
  });
  expect(code).toBe("secure_inconsistent");
});

test("a question of an earlier attempt under a later one's address is refused", async () => {
  await joinMany(3);
  const earlier = new SecureScript({ coordinator, members, model });
  await earlier.collect();
  const later = new SecureScript({ coordinator, members, model, attempt: 2 });
  await later.collect();
  const { client } = members[0]!;
  const replayed = earlier.question(client);
  coordinator.ask(client, { ...replayed, attempt: 2 });
  expect(await members[0]!.device.event("declined")).toMatchObject({ code: "secure_message", hint: { attempt: 2 } });
});

test("one model under two versions: the device works anew, so two sums do not differ by what it sent", async () => {
  await joinMany(4);
  await new SecureScript({ coordinator, members, model }).finish();
  const renamed = new SecureScript({ coordinator, members: members.slice(1), model, round: 2, modelVersion: 1 });
  await renamed.finish();
  // Eight batches for each model that a device was asked to train.
  expect(members.map(({ device }) => device.trainer.batches)).toEqual([8, 16, 16, 16]);
});

test("a run that was secure is not joined in the clear by a device that comes back", async () => {
  const kept = { answers: answersInMemory(), identity: identityInMemory() };
  members = await Promise.all([0, 1, 2].map((index) => joinSecurely(coordinator, index, index === 0 ? kept : {})));
  await new SecureScript({ coordinator, members, model }).finish();
  await members[0]!.device.event("sent", ({ hint }) => hint.step === 4);
  await members[0]!.device.participant.leave();

  coordinator.runs = [planOf(theRun)];
  const other = planOf("run-00000002" as typeof theRun);
  coordinator.runs = [...coordinator.runs, other];
  const back = await joinSecurely(coordinator, 0, kept);
  members = [...members, back];
  const declined = await back.device.event("declined", ({ run }) => run === theRun);
  expect(declined).toMatchObject({ code: "secure_aggregation_unavailable" });
  const offers = coordinator.messages.entries.filter(({ type, client }) => type === "offer" && client === back.client);
  expect(offers.at(-1)).toMatchObject({ payload: { runs: [other.run] } });
});

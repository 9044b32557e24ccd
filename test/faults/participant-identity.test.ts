import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join as pathOf } from "node:path";
import { join, keysFromSecret } from "@tributary/node-client";
import {
  enrolDevice,
  identityInMemory,
  keysInMemory,
  type ParticipantEvent,
  systemClock,
} from "@tributary/participant";
import { type ClientId, fromBase64, type Introduction, ProtocolError, toBase64 } from "@tributary/protocol";
import { clientIdOf, portableCrypto, seedSigner, signRoster } from "@tributary/secure-agg";
import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import { Identities } from "../../apps/coordinator/src/identities.ts";
import { credentialsOf } from "../../packages/participant/src/enrol-device.ts";
import { Outbox } from "../../packages/participant/src/outbox.ts";
import { Trust } from "../../packages/participant/src/trust.ts";
import { freshSigner } from "../support/device-identity.ts";
import { ScriptedCoordinator } from "../support/participant-coordinator.ts";
import { deviceOf, planOf, type TestDevice, theRun } from "../support/participant-device.ts";
import { Log } from "../support/participant-log.ts";
import { averaging, clusters, softmaxTrainer } from "../support/participant-softmax.ts";

let coordinator: ScriptedCoordinator;

beforeEach(async () => {
  coordinator = await new ScriptedCoordinator().start();
  coordinator.runs = [planOf(theRun)];
});
afterEach(() => coordinator.stop());

function device(different?: Parameters<typeof deviceOf>[1]): TestDevice {
  const made = deviceOf(coordinator, different);
  onTestFinished(() => made.participant.leave().catch(() => undefined));
  return made;
}

const stranger = () => new Identities({ signer: freshSigner(), now: () => performance.now() });
const keyOf = async (identities: Identities) => (await identities.introduce(new Uint8Array(32))).coordinatorKey;

test("F10: a coordinator with another key than the one pinned at enrolment is refused, and both keys are named", async () => {
  const kept = { identity: identityInMemory(), keys: keysInMemory() };
  const first = device(kept);
  await first.offered();
  await first.participant.leave();
  const before = await keyOf(coordinator.identities);
  coordinator.identities = stranger();
  const after = await keyOf(coordinator.identities);
  const sent = coordinator.requests.entries.length;
  const again = device(kept);
  await expect(again.participant.done).rejects.toMatchObject({ code: "coordinator_changed" });
  await expect(again.participant.done).rejects.toThrow(new RegExp(`${escaped(after)}.*${escaped(before)}`));
  // It was asked who it is, and told nothing.
  expect(coordinator.requests.entries.slice(sent)).toEqual(["GET /v1/identity"]);
  expect(coordinator.enrolments).toHaveLength(1);
});

test("F10: a coordinator that comes back as another is refused by a device that was connected", async () => {
  const made = device();
  await made.offered();
  await coordinator.stop();
  coordinator.identities = stranger();
  coordinator.forgetClients();
  await coordinator.start();
  await expect(made.participant.done).rejects.toMatchObject({ code: "coordinator_changed" });
  expect(coordinator.enrolments).toHaveLength(1);
});

test("F10: a coordinator that cannot prove the key it shows is refused", async () => {
  const real = coordinator.identities;
  const old = await real.introduce(new Uint8Array(32));
  class Replaying extends Identities {
    override async introduce(): Promise<Introduction> {
      return old;
    }
  }
  coordinator.identities = new Replaying({ signer: freshSigner(), now: () => 0 });
  const made = device();
  await expect(made.participant.done).rejects.toMatchObject({ code: "coordinator_changed" });
  await expect(made.participant.done).rejects.toThrow("does not hold the key");
  expect(coordinator.enrolments).toHaveLength(0);
});

for (const [what, protocol, detail] of [
  [
    "too new",
    { from: 3, to: 4 },
    "The coordinator understands protocol versions 3 to 4, the device protocol versions 1 to 2; upgrade the device.",
  ],
  [
    "too old",
    { from: 0, to: 0 },
    "The coordinator understands protocol version 0, the device protocol versions 1 to 2; upgrade the coordinator.",
  ],
] as const) {
  test(`a coordinator that is ${what} is told apart by its versions, and sent nothing`, async () => {
    coordinator.identities = speaking(protocol);
    const made = device();
    await expect(made.participant.done).rejects.toMatchObject({ code: "upgrade_required", message: detail });
    expect(coordinator.enrolments).toHaveLength(0);
  });
}

test("a coordinator that is one version ahead is spoken to in this device's version, also to log in", async () => {
  coordinator.identities = speaking({ from: 2, to: 3 });
  const kept = { identity: identityInMemory(), keys: keysInMemory() };
  const first = device(kept);
  const client = await first.offered();
  await first.participant.leave();
  coordinator.expireSessions();
  expect(await device(kept).offered()).toBe(client);
  expect(coordinator.enrolments.map(({ protocol }) => protocol)).toEqual([2]);
  expect(coordinator.logins.map(({ protocol }) => protocol)).toEqual([2]);
});

const capabilities = { platform: "a test", processors: 2 };

test("a coordinator of the first version is told nothing that it does not know", async () => {
  coordinator.identities = speaking({ from: 1, to: 1 });
  await device({ capabilities }).offered();
  expect(coordinator.enrolments).toHaveLength(1);
  expect(coordinator.enrolments[0]).toMatchObject({ protocol: 1, engine: "plain loops" });
  expect(coordinator.enrolments[0]).not.toHaveProperty("capabilities");
});

test("a device that has changed describes itself anew, as the same client; one that has not sends nothing", async () => {
  const kept = { identity: identityInMemory(), keys: keysInMemory() };
  const appear = async (different: Parameters<typeof device>[0]) => {
    const appeared = device({ ...kept, ...different });
    const client = await appeared.offered();
    await appeared.participant.leave();
    return client;
  };
  const client = await appear({ capabilities });
  expect(await appear({ capabilities })).toBe(client);
  expect(coordinator.enrolments).toHaveLength(1);
  expect(await appear({ capabilities, engine: "another" })).toBe(client);
  expect(await appear({ capabilities: { ...capabilities, adapter: "a new card" }, engine: "another" })).toBe(client);
  expect(coordinator.enrolments.map(({ engine, capabilities }) => [engine, capabilities?.adapter])).toEqual([
    ["plain loops", undefined],
    ["another", undefined],
    ["another", "a new card"],
  ]);
});

test("a device that has changed, and no longer has the join token, goes on as it was known", async () => {
  const kept = { identity: identityInMemory(), keys: keysInMemory() };
  const first = device(kept);
  const client = await first.offered();
  await first.participant.leave();
  coordinator.disturb = (request) => {
    if (request === "POST /v1/clients") throw new ProtocolError("unauthorized", "it needs the join token");
    return undefined;
  };
  expect(await device({ ...kept, engine: "another" }).offered()).toBe(client);
  expect(coordinator.enrolments).toHaveLength(1);
});

/** The coordinator's identity, in the words of one that understands these versions. */
function speaking(protocol: Introduction["protocol"]): Identities {
  class Versioned extends Identities {
    override async introduce(challenge: Uint8Array): Promise<Introduction> {
      return { ...(await super.introduce(challenge)), protocol };
    }
  }
  return new Versioned({ signer: freshSigner(), now: () => 0 });
}

test("a coordinator key that was given beforehand is the only one that will do", async () => {
  const other = device({ coordinatorKey: toBase64(freshSigner().publicKey) });
  await expect(other.participant.done).rejects.toMatchObject({ code: "coordinator_changed" });
  expect(coordinator.enrolments).toHaveLength(0);
  await device({ coordinatorKey: await keyOf(coordinator.identities) }).offered();
});

test("a device whose operator gives it a replaced coordinator's new key enrols there anew, as the same client", async () => {
  const kept = { identity: identityInMemory(), keys: keysInMemory() };
  const first = device(kept);
  const client = await first.offered();
  await first.participant.leave();
  coordinator.identities = stranger();
  coordinator.forgetClients();
  const again = device({ ...kept, coordinatorKey: await keyOf(coordinator.identities) });
  expect(await again.offered()).toBe(client);
  expect(coordinator.enrolments).toHaveLength(2);
});

test("an identity that belongs to another key is not used", async () => {
  const identity = identityInMemory();
  const first = device({ identity });
  const before = await first.offered();
  await first.participant.leave();
  const again = device({ identity });
  expect(await again.offered()).not.toBe(before);
});

test("without an operator's key a device says what it has to trust; with one it does not", async () => {
  const without = device();
  expect(await without.event("notice")).toMatchObject({
    text: expect.stringContaining("honest-but-curious coordinator"),
  });
  await without.offered();
  expect(without.events.entries.filter(({ type }) => type === "notice")).toHaveLength(1);
  await serveRoster();
  const pinned = device({ operatorKey: toBase64(operator.publicKey) });
  await pinned.offered();
  expect(pinned.events.entries.filter(({ type }) => type === "notice")).toEqual([]);
});

const operator = freshSigner();

async function serveRoster(members = [{ publicKey: toBase64(freshSigner().publicKey) }], by = operator): Promise<void> {
  coordinator.roster = await signRoster(by, members);
}

test("with an operator's key, a roster that the operator did not sign ends the device, and so does none", async () => {
  const operatorKey = toBase64(operator.publicKey);
  const none = device({ operatorKey });
  await expect(none.participant.done).rejects.toMatchObject({ code: "roster_refused", message: /--roster/ });
  await serveRoster(undefined, freshSigner());
  const other = device({ operatorKey });
  await expect(other.participant.done).rejects.toMatchObject({ code: "roster_refused" });
  await serveRoster();
  coordinator.roster = { ...coordinator.roster!, members: [] };
  await expect(device({ operatorKey }).participant.done).rejects.toMatchObject({ code: "roster_refused" });
  expect(coordinator.messages.entries.filter(({ type }) => type === "offer")).toEqual([]);
});

test("a key is admitted as the client that it makes; with an operator's key, only from the operator's roster", async () => {
  const [listed, unlisted] = [freshSigner(), freshSigner()];
  const idOf = ({ publicKey }: typeof listed) => clientIdOf(publicKey);
  await serveRoster([{ publicKey: toBase64(listed.publicKey) }]);
  const trusting = new Trust(undefined);
  expect(trusting.admits(idOf(unlisted), unlisted.publicKey)).toBe(true);
  expect(trusting.admits(idOf(listed), unlisted.publicKey)).toBe(false);
  const pinning = new Trust(toBase64(operator.publicKey));
  expect(pinning.admits(idOf(listed), listed.publicKey)).toBe(false);
  const outbox = new Outbox({ coordinator: coordinator.url, fetch, clock: systemClock });
  const ports = { outbox, crypto: portableCrypto(), signal: new AbortController().signal };
  const who = { coordinator: coordinator.url, name: "x", engine: "none" };
  const credentials = credentialsOf(who, { ...ports, onChange: () => undefined });
  await pinning.refresh({ ...ports, credentials });
  expect(pinning.admits(idOf(listed), listed.publicKey)).toBe(true);
  expect(pinning.admits(idOf(unlisted), listed.publicKey)).toBe(false);
  expect(pinning.admits(idOf(unlisted), unlisted.publicKey)).toBe(false);
});

test("a device can enrol without taking part, and is the same client when it does", async () => {
  const kept = { identity: identityInMemory(), keys: keysInMemory() };
  const { client } = await enrolDevice({
    ...kept,
    coordinator: coordinator.url,
    name: "a device",
    engine: "plain loops",
    fetch,
  });
  expect(await device(kept).offered()).toBe(client);
  expect(coordinator.enrolments).toHaveLength(1);
});

test("the keys of a process's devices are in its identity file, which its owner alone can read; each outlives a restart", async () => {
  const folder = await mkdtemp(pathOf(tmpdir(), "tributary-keys-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const identityFile = pathOf(folder, "identities.json");
  const first = await lend({ identityFile });
  expect((await stat(identityFile)).mode & 0o777).toBe(0o600);
  const kept = JSON.parse(await readFile(identityFile, "utf8"))[coordinator.url].box;
  expect(clientIdOf(seedSigner(fromBase64(kept.seed)).publicKey)).toBe(first);
  expect(kept.identity).toMatchObject({ client: first, coordinatorKey: await keyOf(coordinator.identities) });
  expect(await lend({ identityFile })).toBe(first);
  coordinator.expireSessions();
  expect(await lend({ identityFile })).toBe(first);
  expect(coordinator.enrolments).toHaveLength(1);
  expect(coordinator.logins).toHaveLength(1);
});

test("a secret of the environment makes each device its key, the same one every time, and is written nowhere", async () => {
  const folder = await mkdtemp(pathOf(tmpdir(), "tributary-keys-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const [identityFile, deviceKey] = [pathOf(folder, "identities.json"), toBase64(new Uint8Array(32).fill(7))];
  const first = await lend({ deviceKey, identityFile });
  expect(await lend({ deviceKey, identityFile: pathOf(folder, "others.json") })).toBe(first);
  expect(await readFile(identityFile, "utf8")).not.toContain("seed");
  const keys = keysFromSecret(deviceKey);
  expect(clientIdOf((await keys.signerFor("", "box")).publicKey)).toBe(first);
  expect(clientIdOf((await keys.signerFor("", "another")).publicKey)).not.toBe(first);
  for (const wrong of ["", "password", toBase64(new Uint8Array(31)), `${deviceKey}=`]) {
    expect(() => keysFromSecret(wrong)).toThrow(/^TRIBUTARY_DEVICE_KEY: expected 32 random bytes/);
  }
});

test("a key that outlives its process is refused where nothing keeps what its device revealed", async () => {
  const deviceKey = toBase64(new Uint8Array(32).fill(7));
  const trainerFactory = async () => softmaxTrainer(clusters(16));
  const handle = join({ coordinator: coordinator.url, devices: [], trainerFactory, deviceKey });
  await expect(handle.done).rejects.toThrow(/^TRIBUTARY_DEVICE_KEY outlives this process.*--identity$/);
  expect(coordinator.enrolments).toEqual([]);
});

/** One device of a process of its own, until it is connected: as which client. */
async function lend(different: { identityFile?: string; deviceKey?: string }): Promise<ClientId> {
  const events = new Log<ParticipantEvent>();
  const handle = join({
    coordinator: coordinator.url,
    devices: [{ name: "box", dataset: clusters(16), data: { kind: "table", shape: [2], target: "class", classes: 2 } }],
    trainerFactory: async () => softmaxTrainer(clusters(16)),
    clientHalf: () => averaging,
    onEvent: events.add,
    ...different,
  });
  const { client } = (await events.next(({ type }) => type === "connected")) as { client: ClientId };
  await handle.leave();
  return client;
}

function escaped(text: string): string {
  return text.replace(/[+/]/g, "\\$&");
}

import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join as pathOf } from "node:path";
import { type JoinHandle, type JoinOptions, join } from "@tributary/node-client";
import type { ParticipantEvent } from "@tributary/participant";
import { fromBase64 } from "@tributary/protocol";
import { clientIdOf } from "@tributary/secure-agg";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ScriptedCoordinator } from "../support/participant-coordinator.ts";
import { planOf, theRun } from "../support/participant-device.ts";
import { Log } from "../support/participant-log.ts";
import { SecureScript } from "../support/participant-secure-federation.ts";
import { averaging, clusters, softmaxTrainer } from "../support/participant-softmax.ts";

const model = Float32Array.of(0.1, -0.2, 0, 0.3, 0.2, 0.1);
const data = clusters(16);
let folder: string;
let coordinator: ScriptedCoordinator;
let processes: JoinHandle[];

beforeEach(async () => {
  folder = await mkdtemp(pathOf(tmpdir(), "reveals-"));
  coordinator = await new ScriptedCoordinator().start();
  coordinator.runs = [planOf(theRun, { secureAggregation: "required" })];
  processes = [];
});

afterEach(async () => {
  await Promise.all(processes.map((process) => process.leave()));
  await coordinator.stop();
  await rm(folder, { recursive: true });
});

/** One process with three devices, as `tributary join --identity FILE --shard 1-3/3` is. */
async function lend(
  different: Partial<JoinOptions> = {},
): Promise<{ process: JoinHandle; events: Log<ParticipantEvent> }> {
  const events = new Log<ParticipantEvent>();
  const process = join({
    coordinator: coordinator.url,
    devices: ["a", "b", "c"].map((name) => ({
      name,
      dataset: data,
      data: { kind: "table", shape: [2], target: "class", classes: 2 },
    })),
    identityFile: pathOf(folder, "identity.json"),
    trainerFactory: async () => softmaxTrainer(data),
    clientHalf: () => averaging,
    onEvent: events.add,
    ...different,
  });
  processes.push(process);
  return { process, events };
}

/** All three devices, as the coordinator knows them, once they are there. */
async function membersOnce(events: Log<ParticipantEvent>) {
  let from = 0;
  for (let offers = 0; offers < 3; offers++) {
    await events.next(({ type }) => type === "offered", from);
    from = events.entries.findIndex(({ type }, i) => i >= from && type === "offered") + 1;
  }
  return coordinator.enrolments.map(({ publicKey }) => {
    const identityKey = fromBase64(publicKey);
    return { identityKey, client: clientIdOf(identityKey) };
  });
}

test("a process that was started again repeats its reveals, and reveals nothing else of that model", async () => {
  const first = await lend();
  const members = await membersOnce(first.events);
  const script = new SecureScript({ coordinator, members, model });
  for (const _ of [0, 1, 2, 3]) await script.collect();
  const reveals = await script.ask();
  await first.process.leave();
  const file = pathOf(folder, "identity.json-answers");
  expect((await stat(file)).mode & 0o777).toBe(0o600);

  const second = await lend();
  await membersOnce(second.events);
  expect(await script.ask()).toEqual(reveals);
  const again = new SecureScript({ coordinator, members, model, attempt: 2 });
  for (const { client } of members) {
    again.tell(client);
    const told = await coordinator.messages.next((entry) => entry.type === "decline" && entry.client === client);
    expect(told).toMatchObject({ payload: { code: "secure_already_revealed", attempt: 2 } });
  }
  // The next version's attempt is no second sum, and ends the time in which the shares may be asked for.
  expect(await readFile(file, "utf8")).toContain('"last"');
  await new SecureScript({ coordinator, members, model, round: 2, modelVersion: 1 }).collect();
  expect(await readFile(file, "utf8")).not.toContain('"last"');
  expect(await readFile(file, "utf8")).toContain(`${theRun}/0/train`);
});

test("a device that cannot read what it revealed reveals nothing", async () => {
  await writeFile(pathOf(folder, "identity.json-answers"), "{ not what was written");
  const { events } = await lend();
  const members = await membersOnce(events);
  const script = new SecureScript({ coordinator, members, model });
  for (const { client } of members) script.tell(client);
  for (const { client } of members) {
    const told = await coordinator.messages.next((entry) => entry.type === "decline" && entry.client === client);
    expect(told).toMatchObject({ payload: { code: "bad_data" } });
  }
  expect(coordinator.answers.entries).toEqual([]);
});

test("the floors of a process are those of each of its devices", async () => {
  const { events } = await lend({ floors: { minimumSurvivors: 4 } });
  const members = await membersOnce(events);
  new SecureScript({ coordinator, members, model }).tell(members[0]!.client);
  expect(await coordinator.messages.next(({ type }) => type === "decline")).toMatchObject({
    payload: { code: "secure_floor" },
  });
});

import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join as pathOf } from "node:path";
import { type HostedDevice, type JoinHandle, type JoinOptions, join } from "@tributary/node-client";
import type { ParticipantEvent } from "@tributary/participant";
import { type ClientId, type RunId, routes } from "@tributary/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ScriptedCoordinator } from "../support/participant-coordinator.ts";
import { planOf, questionOf, theRun } from "../support/participant-device.ts";
import { Log } from "../support/participant-log.ts";
import { averaging, clusters, softmaxTrainer } from "../support/participant-softmax.ts";

let folder: string;
let coordinator: ScriptedCoordinator;
let joined: JoinHandle[];

beforeEach(async () => {
  folder = await mkdtemp(pathOf(tmpdir(), "tributary-join-"));
  coordinator = await new ScriptedCoordinator().start();
  coordinator.runs = [planOf(theRun)];
  joined = [];
});

afterEach(async () => {
  await Promise.all(joined.map((handle) => handle.leave().catch(() => undefined)));
  await coordinator.stop();
  await rm(folder, { recursive: true });
});

const hosted = (name: string, examples = 16): HostedDevice => ({
  name,
  dataset: clusters(examples),
  data: { kind: "table", shape: [2], target: "class", classes: 2 },
});

function lend(different: Partial<JoinOptions>): {
  handle: JoinHandle;
  events: Log<ParticipantEvent & { device: string }>;
} {
  const events = new Log<ParticipantEvent & { device: string }>();
  const handle = join({
    coordinator: coordinator.url,
    devices: [hosted("box")],
    trainerFactory: async () => softmaxTrainer(clusters(16)),
    clientHalf: () => averaging,
    onEvent: (event, device) => events.add({ ...event, device }),
    ...different,
  });
  joined.push(handle);
  return { handle, events };
}

test("one process hosts many devices: one trainer, one download, every device its own weight", async () => {
  let made = 0;
  const { events } = lend({
    name: "rack",
    devices: [hosted("1", 16), hosted("2", 8), hosted("3", 4)],
    trainerFactory: async () => {
      made += 1;
      return softmaxTrainer(clusters(16));
    },
  });
  for (const device of ["1", "2", "3"])
    await events.next((event) => event.type === "offered" && event.device === device);
  const clients = coordinator.messages.entries.map(({ client }) => client);
  const model = coordinator.publish(new Float32Array(6));
  for (const client of clients) coordinator.ask(client, questionOf(model));
  for (const device of ["1", "2", "3"]) await events.next((event) => event.type === "sent" && event.device === device);
  expect(made).toBe(1);
  expect(coordinator.enrolments.map(({ name }) => name).sort()).toEqual(["rack 1", "rack 2", "rack 3"]);
  expect(coordinator.answers.entries.map(({ frame }) => frame.weight).sort((a, b) => a - b)).toEqual([4, 8, 16]);
  expect(coordinator.requests.entries.filter((request) => request.startsWith("GET /v1/blobs/"))).toHaveLength(1);
});

test("a device that kept its identity is the same client after a restart; its file is readable by its owner alone", async () => {
  const identityFile = pathOf(folder, "identities.json");
  const connected = async ({ handle, events }: ReturnType<typeof lend>): Promise<[ClientId, ClientId]> => {
    const clients = ["a", "b"].map(async (device) => {
      const event = await events.next((entry) => entry.type === "connected" && entry.device === device);
      return (event as { client: ClientId }).client;
    });
    const both = (await Promise.all(clients)) as [ClientId, ClientId];
    await handle.leave();
    return both;
  };
  const devices = [hosted("a"), hosted("b")];
  const first = await connected(lend({ identityFile, devices }));
  expect((await stat(identityFile)).mode & 0o777).toBe(0o600);
  expect(await connected(lend({ identityFile, devices }))).toEqual(first);
  expect(coordinator.enrolments).toHaveLength(2);
  expect(Object.keys(JSON.parse(await readFile(identityFile, "utf8"))[coordinator.url])).toEqual(["a", "b"]);
  expect(await connected(lend({ devices }))).not.toEqual(first);
});

test("an identity file that is something else is left as it is and named", async () => {
  const identityFile = pathOf(folder, "notes.txt");
  await writeFile(identityFile, "remember the milk");
  await expect(lend({ identityFile }).handle.done).rejects.toMatchObject({
    code: "bad_data",
    message: `${identityFile}: expected the JSON of an identity file; move it away to enrol anew`,
  });
  expect(await readFile(identityFile, "utf8")).toBe("remember the milk");
});

test("devices for one run are done when it is over", async () => {
  const { handle, events } = lend({ run: theRun, devices: [hosted("a"), hosted("b")] });
  for (const device of ["a", "b"]) await events.next((event) => event.type === "offered" && event.device === device);
  coordinator.finish(theRun);
  await handle.done;
  expect(events.entries.filter(({ type }) => type === "runEnded")).toHaveLength(2);
});

test("a signal makes every device leave; so it does before they could connect", async () => {
  const stop = new AbortController();
  const { handle, events } = lend({ signal: stop.signal });
  await events.next(({ type }) => type === "offered");
  stop.abort();
  await handle.done;
  await coordinator.messages.next(({ type }) => type === "leave");
  const requests = coordinator.requests.entries.length;
  await lend({ signal: AbortSignal.abort() }).handle.done;
  expect(coordinator.requests.entries.length).toBe(requests);
});

test("data that does not fit a run is named beside what the run asks for", async () => {
  coordinator.runs = [
    planOf("run-00000002" as RunId, { data: { kind: "images", shape: [28, 28, 1], target: "class", classes: 10 } }),
  ];
  const { events } = lend({});
  const declined = await events.next(({ type }) => type === "declined");
  expect(declined).toMatchObject({ code: "data_mismatch", detail: expect.stringMatching(/28×28×1 with 10 classes/) });
});

test("with the platform's own engine and the catalog's algorithm, a device answers a FedAvg round", async () => {
  coordinator.runs = [planOf(theRun, { algorithm: { name: "fedavg" } })];
  const events = new Log<ParticipantEvent>();
  joined.push(join({ coordinator: coordinator.url, devices: [hosted("box")], engine: "cpu", onEvent: events.add }));
  const { client } = (await events.next(({ type }) => type === "connected")) as { client: ClientId };
  await events.next(({ type }) => type === "offered");
  const question = questionOf(coordinator.publish(new Float32Array(6)), { answer: { element: "f32", length: 8 } });
  const settings = { epochs: 2, batchSize: 4, learningRate: 0.5 };
  coordinator.ask(client, { ...question, settings });
  await events.next(({ type }) => type === "sent");
  const { values, weight } = coordinator.answers.entries[0]!.frame;
  expect(weight).toBe(16);
  expect(values[6]).toBe(16);
  // ln 2 nats an example is a guess between two classes; it has learned.
  expect(values[7]! / 16).toBeLessThan(Math.LN2);
  expect(coordinator.enrolments[0]!.engine).toBe("cpu");
  expect(coordinator.requests.entries).toContain(`PUT ${routes.answer(question, client)}`);
});

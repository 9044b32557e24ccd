import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join as pathOf } from "node:path";
import { type JoinHandle, type JoinOptions, join, pinnedTls } from "@tributary/node-client";
import type { ParticipantEvent } from "@tributary/participant";
import { generate } from "selfsigned";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { selfSigned } from "../../apps/coordinator/src/tls.ts";
import { ScriptedCoordinator } from "../support/participant-coordinator.ts";
import { planOf, questionOf, theRun } from "../support/participant-device.ts";
import { Log } from "../support/participant-log.ts";
import { averaging, clusters, softmaxTrainer } from "../support/participant-softmax.ts";

let folder: string;
let tls: { key: string; cert: string; fingerprint: string };
let coordinator: ScriptedCoordinator;
let joined: JoinHandle[];
let events: Log<ParticipantEvent>;

beforeAll(async () => {
  folder = await mkdtemp(pathOf(tmpdir(), "tributary-tls-"));
  // The certificate that a coordinator makes for itself, for a name that this test does not reach it by.
  tls = await selfSigned(folder, ["coordinator.example"]);
});
afterAll(() => rm(folder, { recursive: true }));

beforeEach(async () => {
  coordinator = await new ScriptedCoordinator({ tls }).start();
  coordinator.runs = [planOf(theRun)];
  joined = [];
  events = new Log();
});

afterEach(async () => {
  await Promise.all(joined.map((handle) => handle.leave().catch(() => undefined)));
  await coordinator.stop();
});

function lend(different: Partial<JoinOptions>): JoinHandle {
  const data = clusters(16);
  const handle = join({
    coordinator: coordinator.url,
    devices: [{ name: "box", dataset: data, data: { kind: "table", shape: [2], target: "class", classes: 2 } }],
    trainerFactory: async () => softmaxTrainer(data),
    clientHalf: () => averaging,
    onEvent: events.add,
    ...different,
  });
  joined.push(handle);
  return handle;
}

test.each([
  ["as it is printed", (pin: string) => pin],
  ["in lower case without colons", (pin: string) => pin.replaceAll(":", "").toLowerCase()],
])("a device that was given the certificate's fingerprint, %s, works over HTTPS and WSS", async (_, written) => {
  lend({ fingerprint: written(tls.fingerprint) });
  await events.next(({ type }) => type === "offered");
  const offer = await coordinator.messages.next(({ type }) => type === "offer");
  coordinator.ask(offer.client, questionOf(coordinator.publish(Float32Array.of(0, 0, 0, 0, 0, 0))));
  await events.next(({ type }) => type === "sent");
  expect(coordinator.answers.entries).toHaveLength(1);
});

test("a device that was given another fingerprint sends nothing and names both", async () => {
  const wrong = "ab".repeat(32);
  const { done } = lend({ fingerprint: wrong });
  const found = tls.fingerprint.replaceAll(":", "").toLowerCase();
  await expect(done).rejects.toMatchObject({ code: "unauthorized" });
  await expect(done).rejects.toThrow(`fingerprint ${found}, not ${wrong} as given; nothing was sent`);
  expect(coordinator.requests.entries).toEqual([]);
});

test("a device without a fingerprint does not trust a certificate that vouches for itself", async () => {
  lend({});
  expect(await events.next(({ type }) => type === "waiting")).toMatchObject({
    reason: expect.stringMatching(/certificate.*give the fingerprint that the coordinator printed/),
  });
  expect(coordinator.requests.entries).toEqual([]);
});

test("a server that takes the coordinator's place later, with another certificate, gets neither request nor socket", async () => {
  const transport = await pinnedTls(coordinator.url, tls.fingerprint);
  lend({ fingerprint: tls.fingerprint });
  await events.next(({ type }) => type === "offered");
  await coordinator.stop();
  const made = await generate([{ name: "commonName", value: "127.0.0.1" }], { keyType: "ec", algorithm: "sha256" });
  const port = Number(new URL(coordinator.url).port);
  const impostor = await new ScriptedCoordinator({ tls: { key: made.private, cert: made.cert }, port }).start();
  try {
    const refused = await events.next(
      ({ type, ...event }) => type === "waiting" && /certificate/.test(JSON.stringify(event)),
    );
    expect(refused).toMatchObject({ reason: expect.stringMatching(/certificate/) });
    const request = { method: "GET", headers: {}, signal: new AbortController().signal };
    await expect(transport.fetch(`${impostor.url}/v1/state`, request)).rejects.toThrow("fetch failed");
    expect(impostor.requests.entries).toEqual([]);
    expect(impostor.messages.entries).toEqual([]);
  } finally {
    await transport.close();
    await impostor.stop();
  }
});

test("a fingerprint that is none, or for an address without TLS, is refused with what was expected", async () => {
  await expect(lend({ fingerprint: "AA:BB" }).done).rejects.toMatchObject({
    code: "bad_request",
    message: expect.stringContaining(
      '64 hexadecimal digits (colons allowed) that the coordinator printed, found "AA:BB"',
    ),
  });
  const plain = lend({ coordinator: "http://127.0.0.1:1", fingerprint: tls.fingerprint });
  await expect(plain.done).rejects.toMatchObject({ code: "bad_request" });
});

test("F10: plain http to another machine is refused unless it was asked for by name", async () => {
  await expect(lend({ coordinator: "http://192.0.2.7:8080" }).done).rejects.toMatchObject({
    code: "bad_request",
    message: expect.stringContaining("would send everything in the clear to another machine"),
  });
});

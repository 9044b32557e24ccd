import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join as path } from "node:path";
import { type RunningCoordinator, startCoordinator, UnsafeOptions } from "@tributary/coordinator";
import { join, pinnedTls, type Transport } from "@tributary/node-client";
import { type ClientId, type Introduction, type Problem, routes } from "@tributary/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dataFolder } from "../support/data-folder.ts";
import { enrolmentOf, freshChallenge, freshSigner } from "../support/device-identity.ts";
import { clusters } from "../support/participant-softmax.ts";
import { specOf } from "../support/specs.ts";

describe("off loopback", () => {
  let coordinator: RunningCoordinator;
  let folder: string;
  let url: string;
  let transport: Transport;
  let secrets: { adminKey: string; joinToken: string };
  let device: { client: ClientId; token: string };

  beforeAll(async () => {
    folder = await mkdtemp(path(tmpdir(), "tributary-test-"));
    coordinator = await startCoordinator({
      dataFolder: folder,
      host: "0.0.0.0",
      port: 0,
      tls: "self-signed",
      logLevel: "silent",
    });
    url = coordinator.url.replace("0.0.0.0", "127.0.0.1");
    secrets = coordinator.minted!;
    transport = await pinnedTls(url, coordinator.fingerprint!);
    device = (await enrol(secrets.joinToken)).body as typeof device;
  });

  afterAll(async () => {
    await transport.close();
    await coordinator.close();
    await rm(folder, { recursive: true });
  });

  async function ask(
    method: string,
    to: string,
    { token, body }: { token?: string | undefined; body?: unknown } = {},
  ): Promise<{ status: number; body: unknown }> {
    const reply = await transport.fetch(`${url}${to}`, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(10_000),
    });
    const text = await new Response(reply.body as ReadableStream).text();
    return { status: reply.status, body: text.startsWith("{") || text.startsWith("[") ? JSON.parse(text) : text };
  }
  async function enrol(joinToken: string | undefined) {
    const { body } = await ask("GET", routes.identity(freshChallenge()));
    const enrolment = await enrolmentOf(body as Introduction, freshSigner());
    return ask("POST", routes.clients(), { body: { ...enrolment, joinToken } });
  }

  const operatorOnly: [method: string, path: string, body?: unknown][] = [
    ["POST", routes.runs(), specOf()],
    ["POST", routes.runCheck(), specOf()],
    ["POST", routes.runAction("start", "run-00000000")],
    ["POST", routes.runAction("pause", "run-00000000")],
    ["POST", routes.runAction("resume", "run-00000000")],
    ["POST", routes.runAction("stop", "run-00000000")],
    ["POST", routes.uploadModel()],
    ["GET", routes.clients()],
    ["DELETE", routes.client("client-00000000")],
    ["GET", routes.runClients("run-00000000")],
    ["GET", routes.events()],
    ["GET", routes.runEvents("run-00000000")],
  ];
  const reads: [method: string, path: string][] = [
    ["GET", routes.runs()],
    ["GET", routes.run("run-00000000")],
    ["GET", routes.rounds("run-00000000")],
    ["GET", routes.round("run-00000000", 1)],
    ["GET", routes.history("run-00000000")],
    ["GET", routes.timeline("run-00000000", 1)],
    ["GET", routes.models("run-00000000")],
    ["GET", routes.model("run-00000000", 0)],
    ["GET", routes.modelWeights("run-00000000", 0)],
    ["GET", routes.blob("0".repeat(64))],
    ["GET", routes.roster()],
  ];
  const place = { run: "run-00000000", round: 1, attempt: 1, step: 0 } as never;
  const deviceOnly: [method: string, path: string][] = [
    ["GET", routes.state()],
    ["GET", routes.question(place, "client-00000000")],
    ["PUT", routes.answer(place, "client-00000000")],
  ];

  test("E1: without a credential, everything but health and enrolment is 401", async () => {
    for (const [method, to, body] of [...operatorOnly, ...reads, ...deviceOnly]) {
      const { status, body: problem } = await ask(method, to, { body });
      expect({ to, method, status, code: (problem as Problem).code }).toEqual({
        to,
        method,
        status: 401,
        code: "unauthorized",
      });
    }
    expect((await ask("GET", routes.health())).status).toBe(200);
    expect((await ask("GET", routes.ready())).status).toBe(200);
  });

  test("E1: wrong, mistyped and misused credentials are 401", async () => {
    const { adminKey, joinToken } = secrets;
    const wrong = [
      "x",
      `${adminKey}x`,
      adminKey.slice(0, -1),
      adminKey.toUpperCase(),
      joinToken,
      adminKey.replace("tribadm", "tribdev"),
    ];
    for (const token of wrong) {
      expect((await ask("GET", routes.runs(), { token })).status, token).toBe(401);
      expect((await ask("POST", routes.runs(), { token, body: specOf() })).status, token).toBe(401);
    }
  });

  test("E10: a device's token opens what devices need, and nothing of the operator's", async () => {
    const { token } = device;
    for (const [method, to, body] of operatorOnly) {
      expect((await ask(method, to, { token, body })).status, `${method} ${to}`).toBe(403);
    }
    for (const [method, to] of reads) {
      expect([200, 404], `${method} ${to}`).toContain((await ask(method, to, { token })).status);
    }
    expect((await ask("GET", routes.state(), { token })).status).toBe(200);
    expect((await ask("GET", `${routes.state()}?client=client-00000000`, { token })).status).toBe(403);
  });

  test("E10: the admin key opens what is the operator's, and answers for no device", async () => {
    const { adminKey: token } = secrets;
    const created = await ask("POST", routes.runs(), { token, body: specOf() });
    expect(created.status).toBe(201);
    expect((await ask("GET", routes.clients(), { token })).status).toBe(200);
    for (const [method, to] of deviceOnly) {
      expect((await ask(method, to, { token })).status, `${method} ${to}`).toBe(403);
    }
  });

  test("E1: a device enrols with the join token only", async () => {
    for (const joinToken of [undefined, "", "x", secrets.adminKey, `${secrets.joinToken}x`]) {
      const { status, body } = await enrol(joinToken);
      expect({ status, code: (body as Problem).code }).toEqual({ status: 401, code: "unauthorized" });
      expect((body as Problem).detail).toContain("--join-token");
    }
    const { body } = await ask("GET", routes.clients(), { token: secrets.adminKey });
    expect(body).toMatchObject([{ client: device.client }]);
  });

  test("the secrets are kept as hashes alone, in a file that only the owner reads", async () => {
    const kept = await readFile(path(folder, "secrets.json"), "utf8");
    for (const secret of Object.values(secrets)) expect(kept).not.toContain(secret.slice(secret.indexOf("_") + 1));
  });

  test("a device with the fingerprint joins; one with another, or none, sends nothing", async () => {
    const data = { kind: "table", shape: [2], target: "class", classes: 2 } as const;
    const devices = [{ name: "one", dataset: clusters(8), data: { ...data, shape: [...data.shape] } }];
    const base = {
      coordinator: url,
      devices,
      joinToken: secrets.joinToken,
      engine: "cpu",
      failFast: true,
      connectTimeoutMs: 500,
    };
    const connected = resolvable<void>();
    const good = join({
      ...base,
      fingerprint: coordinator.fingerprint!,
      onEvent: ({ type }) => type === "connected" && connected.resolve(),
    });
    await connected.promise;
    await good.leave();
    const other = coordinator.fingerprint!.replace(/^../, (two) => (two === "00" ? "11" : "00"));
    await expect(join({ ...base, fingerprint: other }).done).rejects.toMatchObject({
      code: "unauthorized",
      message: /nothing was sent/,
    });
    await expect(join(base).done).rejects.toMatchObject({ code: "coordinator_unreachable", message: /fingerprint/ });
    const { body } = await ask("GET", routes.clients(), { token: secrets.adminKey });
    expect(body).toHaveLength(2);
  });

  test("a device with a wrong join token gives up and says why", async () => {
    const devices = [
      {
        name: "one",
        dataset: clusters(8),
        data: { kind: "table" as const, shape: [2], target: "class" as const, classes: 2 },
      },
    ];
    const handle = join({
      coordinator: url,
      fingerprint: coordinator.fingerprint!,
      devices,
      joinToken: "wrong",
      engine: "cpu",
    });
    await expect(handle.done).rejects.toMatchObject({ code: "unauthorized", message: /--join-token/ });
  });
});

test("any other host than loopback needs TLS, or --insecure by name; nothing is made before that", async () => {
  const folder = path(await dataFolder(), "new");
  for (const host of ["0.0.0.0", "::", "192.168.1.5", "127.0.0.1.example", "localhost.example"]) {
    const refused = await startCoordinator({ dataFolder: folder, host, port: 0, logLevel: "silent" }).catch(
      (error) => error,
    );
    expect(refused).toBeInstanceOf(UnsafeOptions);
    expect(refused.message).toMatch(/--tls-cert and --tls-key, or --tls self-signed.*--insecure/);
  }
  await expect(readFile(path(folder, "lock.pid"))).rejects.toMatchObject({ code: "ENOENT" });
});

function resolvable<Value>() {
  let resolve!: (value: Value) => void;
  const promise = new Promise<Value>((yes) => {
    resolve = yes;
  });
  return { promise, resolve };
}

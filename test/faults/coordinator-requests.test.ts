import { connect } from "node:net";
import { join } from "node:path";
import { type ClientRecord, type Introduction, type Problem, type RunRecord, routes } from "@tributary/protocol";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { buildApp } from "../../apps/coordinator/src/app.ts";
import { Models } from "../../apps/coordinator/src/models.ts";
// It declares `app.io`.
import type {} from "../../apps/coordinator/src/plugins/sockets.ts";
import { openBlobs } from "../../apps/coordinator/src/store/blobs.ts";
import { openSpool } from "../../apps/coordinator/src/store/spool.ts";
import { openSqliteStore } from "../../apps/coordinator/src/store/sqlite.ts";
import { call, createRun } from "../support/coordinator-calls.ts";
import { HandDevice } from "../support/coordinator-device.ts";
import { sharedCoordinator } from "../support/coordinator-local.ts";
import { dataFolder } from "../support/data-folder.ts";
import { enrolmentOf, freshChallenge, freshSigner } from "../support/device-identity.ts";
import { rawWebSocket } from "../support/raw-websocket.ts";
import { specOf } from "../support/specs.ts";

const coordinator = sharedCoordinator();
const post = <Body = Problem>(json: unknown) => call<Body>(coordinator.url, `POST ${routes.runs()}`, { json });
const with_ = (changes: Record<string, unknown>) => ({ ...specOf(), ...changes });

test.each<[what: string, spec: unknown, detail: RegExp]>([
  ["null", null, /run specification: must be object, found null/],
  ["a list", [], /run specification: must be object/],
  ["a string", "run", /run specification: must be object, found "run"/],
  ["empty", {}, /algorithm.*missing|missing.*algorithm/],
  ["without a name", with_({ name: "" }), /name: must not have fewer than 1 characters/],
  ["with an unknown field", with_({ rounds: 10 }), /rounds: unknown field/],
  [
    "with a misspelt field",
    with_({ secureAgregation: "none" }),
    /secureAgregation: unknown field \(did you mean secureAggregation\?\)/,
  ],
  [
    "with an unknown field further in",
    with_({ stop: { rounds: 1, afterRounds: 2 } }),
    /stop\.afterRounds: unknown field/,
  ],
  ["of an unknown algorithm", with_({ algorithm: { name: "magic" } }), /there is no algorithm "magic" \(known: fedavg/],
  [
    "of the algorithm constructor",
    with_({ algorithm: { name: "constructor" } }),
    /there is no algorithm "constructor"/,
  ],
  [
    "with an algorithm's unknown parameter",
    with_({ algorithm: { name: "fedavg", learningRate: 1, lr: 2 } }),
    /algorithm\.lr: unknown field/,
  ],
  [
    "with a learning rate of 0",
    with_({ algorithm: { name: "fedavg", learningRate: 0 } }),
    /algorithm\.learningRate: must be > 0/,
  ],
  ["with half a round", with_({ stop: { rounds: 0.5 } }), /stop\.rounds/],
  ["with a negative seed", with_({ seed: -1 }), /seed: must be >= 0/],
  [
    "of an unknown model",
    with_({ model: { preset: "gpt" } }),
    /model: must be one of \{ preset: "logistic", … \}, .*found \{"preset":"gpt"\}/,
  ],
  [
    "with a preset's unknown field",
    with_({ model: { preset: "2nn", hidden: [3] } }),
    /^run specification: model\.hidden: unknown field[^;]*$/,
  ],
  ["with neither size nor fraction", with_({ cohort: { minimum: 1 } }), /cohort: give either size or fraction/],
  [
    "with a minimum above the size",
    with_({ cohort: { size: 1, minimum: 2 } }),
    /cohort\.minimum: 2 is more than cohort\.size 1/,
  ],
  [
    "with two targets",
    with_({ stop: { rounds: 1, target: { metric: "loss", atLeast: 1, atMost: 1 } } }),
    /stop\.target: give either/,
  ],
  [
    "with one class",
    with_({ data: { kind: "table", shape: [2], target: "class", classes: 1 } }),
    /data\.classes: expected at least 2 where the target is a class, found 1/,
  ],
  [
    "with an evaluation set that is not there",
    with_({ evaluation: { on: "coordinator" } }),
    /evaluation\.data: this coordinator has no evaluation set "default"/,
  ],
  [
    "with weights nobody uploaded",
    with_({ model: { preset: "logistic", weights: "0".repeat(64) } }),
    /model\.weights: nothing with this SHA-256 was uploaded/,
  ],
  ["with weights that are no hash", with_({ model: { preset: "logistic", weights: "../secrets" } }), /model/],
  ["with a topology of nothing", with_({ model: { topology: {} } }), /./],
])("a specification %s is refused with what was found and expected", async (_what, spec, detail) => {
  const refused = await post(spec);
  expect(refused.status).toBeGreaterThanOrEqual(400);
  expect(refused.status).toBeLessThan(500);
  expect(refused.body.code).toMatch(/^(bad_spec|topology_not_approved)$/);
  expect(refused.body.detail).toMatch(detail);
  expect((await call<RunRecord[]>(coordinator.url, `GET ${routes.runs()}`)).body).toEqual(expect.any(Array));
});

test("a refusal lists what is wrong field by field, so that nobody has to take its sentence apart", async () => {
  const { body } = await post(with_({ name: 7, cohort: { size: 3, minimum: "a; seed: b" } }));
  expect(body.faults).toEqual([
    { path: "name", detail: "must be string, found 7" },
    { path: "cohort.minimum", detail: 'must be integer, found "a; seed: b"' },
  ]);
});

const tooWide = { preset: "mlp", hidden: [65_536, 65_536] };
const misfit = {
  topology: {
    class_name: "Sequential",
    config: {
      layers: [
        { class_name: "Dense", config: { name: "out", batch_input_shape: [null, 3], units: 2, activation: "softmax" } },
      ],
    },
  },
};

test.each<[what: string, changes: Record<string, unknown>, fault?: [path: string, detail: RegExp]]>([
  ["that is right", {}],
  ["that is wrong by itself", { name: "" }, ["name", /must not have fewer/]],
  ["of a model with too many weights", { model: tooWide }, ["model", /more than 50000000 weights/]],
  [
    "of layers that do not take the data",
    { model: misfit },
    ["model", /takes 3 to 2 values; the run's data has examples of 2/],
  ],
  [
    "of weights that nobody uploaded",
    { model: { preset: "logistic", weights: "0".repeat(64) } },
    ["model.weights", /nothing with this SHA-256/],
  ],
  [
    "of more centres than fit into memory",
    {
      model: undefined,
      algorithm: { name: "kmeans", clusters: 10_000 },
      data: { kind: "table", shape: [1_000_000], target: "none", classes: 0 },
    },
    ["algorithm", /^each device would answer kmeans with 10000010001 numbers; at most 50000000 are taken$/],
  ],
  [
    "of a set that the coordinator does not have",
    { evaluation: { on: "coordinator" } },
    ["evaluation.data", /no evaluation set/],
  ],
])("a specification %s is checked as it would be created, and nothing is kept", async (_what, changes, fault) => {
  const runs = async () => (await call<RunRecord[]>(coordinator.url, `GET ${routes.runs()}`)).body;
  const before = await runs();
  const checked = await call(coordinator.url, `POST ${routes.runCheck()}`, { json: with_(changes) });
  expect(await runs()).toEqual(before);
  if (fault === undefined) {
    const { status, body } = await post<RunRecord>(with_(changes));
    expect(status).toBe(201);
    expect(checked).toMatchObject({ status: 200, body: { spec: body.spec } });
    return;
  }
  const created = await post(with_(changes));
  const [path, detail] = fault;
  expect(checked.body.faults).toEqual([{ path, detail: expect.stringMatching(detail) }]);
  expect([checked.status, checked.body]).toEqual([created.status, created.body]);
});

test("a refused specification leaves no run behind", async () => {
  const before = (await call<RunRecord[]>(coordinator.url, `GET ${routes.runs()}`)).body.length;
  await post(with_({ rounds: 10 }));
  await post(with_({ model: { topology: {} } }));
  expect((await call<RunRecord[]>(coordinator.url, `GET ${routes.runs()}`)).body).toHaveLength(before);
});

test.each(["required", undefined])(
  "secureAggregation: %s is refused with the reason, never run plain",
  async (secureAggregation) => {
    const refused = await post(with_({ secureAggregation }));
    expect(refused).toMatchObject({ status: 422, body: { code: "secure_aggregation_unavailable" } });
    expect(refused.body.detail).toContain('secureAggregation: "none"');
  },
);

test.each<[what: string, body: string]>([
  ["cut off", '{"name": "x"'],
  ["empty", ""],
  ["not JSON", "name: x"],
  ["that sets __proto__", '{"name":"x","__proto__":{"polluted":true}}'],
  ["that sets constructor.prototype", '{"name":"x","constructor":{"prototype":{"polluted":true}}}'],
  ["100,000 levels deep", `{"name":${"[".repeat(100_000)}${"]".repeat(100_000)}}`],
  [
    "with a topology 100,000 levels deep",
    JSON.stringify(specOf()).replace(
      '{"preset":"logistic"}',
      `{"topology":{"layers":${"[".repeat(100_000)}${"]".repeat(100_000)}}}`,
    ),
  ],
])("D5: a body %s is refused, and nothing breaks", async (_what, body) => {
  const refused = await call(coordinator.url, `POST ${routes.runs()}`, {
    bytes: body,
    headers: { "content-type": "application/json" },
  });
  expect(refused.status).toBeGreaterThanOrEqual(400);
  expect(refused.status).toBeLessThan(500);
  expect(refused.headers["content-type"]).toContain("application/problem+json");
  expect(refused.body.code).toMatch(/^(bad_request|bad_spec|topology_not_approved)$/);
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  expect((await post(specOf())).status).toBe(201);
});

test("a body of a type that is not spoken, or over the limit, is refused", async () => {
  const xml = await call(coordinator.url, `POST ${routes.runs()}`, {
    bytes: "<run/>",
    headers: { "content-type": "text/xml" },
  });
  expect(xml).toMatchObject({ status: 400, body: { code: "bad_request" } });
  const huge = await call(coordinator.url, `POST ${routes.runs()}`, { json: { name: "x".repeat(2 << 20) } });
  expect(huge).toMatchObject({ status: 413, body: { code: "too_large" } });
});

test.each([
  ["a path that is none", "GET /v1/nothing", 404, "not_found"],
  ["a run that is none", `GET ${routes.run("run-00000000")}`, 404, "not_found"],
  ["an id that is none", `GET ${routes.run("..%2f..%2fetc%2fpasswd")}`, 400, "bad_request"],
  ["a blob that is none", `GET ${routes.blob("0".repeat(64))}`, 404, "not_found"],
  ["a hash that is none", `GET ${routes.blob("..%2fsecrets.json")}`, 400, "bad_request"],
  ["the state of nobody", `GET ${routes.state()}`, 403, "forbidden"],
  ["a client that is none", `DELETE ${routes.client("client-00000000")}`, 404, "not_found"],
  ["a method that is not served", `PATCH ${routes.runs()}`, 404, "not_found"],
])("%s is refused as a problem document", async (_what, what, status, code) => {
  const refused = await call(coordinator.url, what);
  expect(refused).toMatchObject({ status, body: { code, status, retryable: false } });
  expect(refused.headers["content-type"]).toContain("application/problem+json");
});

test("a run's commands are refused where they have no effect, and its rounds' page is checked", async () => {
  const { run } = await createRun(coordinator.url, specOf(), { start: false });
  const act = (action: Parameters<typeof routes.runAction>[0]) =>
    call(coordinator.url, `POST ${routes.runAction(action, run)}`);
  expect(await act("resume")).toMatchObject({
    status: 409,
    body: { code: "wrong_state", detail: "A run that is created cannot resume." },
  });
  expect(await act("pause")).toMatchObject({ status: 409 });
  expect((await act("start")).status).toBe(200);
  expect(await act("start")).toMatchObject({ status: 409, body: { code: "wrong_state" } });
  expect((await act("stop")).status).toBe(200);
  for (const action of ["start", "pause", "resume", "stop"] as const) expect((await act(action)).status).toBe(409);
  for (const query of ["limit=0", "limit=1001", "after=-1", "after=x"]) {
    expect(await call(coordinator.url, `GET ${routes.rounds(run)}?${query}`)).toMatchObject({ status: 400 });
  }
  expect(await call(coordinator.url, `GET ${routes.round(run, 1)}`)).toMatchObject({ status: 404 });
  expect(await call(coordinator.url, `GET ${routes.model(run, 1)}`)).toMatchObject({ status: 404 });
});

test.each<[what: string, enrolment: Record<string, unknown>, code: string]>([
  ["without a name", { name: "" }, "bad_request"],
  ["with a name of 129 letters", { name: "x".repeat(129) }, "bad_request"],
  ["with 17 tags", { tags: Array(17).fill("x") }, "bad_request"],
  ["with an unknown field", { admin: true }, "bad_request"],
  ["of a newer protocol", { protocol: 99, novelty: true }, "upgrade_required"],
  ["of a protocol before the first", { protocol: 0 }, "upgrade_required"],
])("a device's introduction %s is refused", async (_what, different, code) => {
  const { body: introduction } = await call<Introduction>(coordinator.url, `GET ${routes.identity(freshChallenge())}`);
  const json = { ...(await enrolmentOf(introduction, freshSigner())), ...different };
  expect(await call(coordinator.url, `POST ${routes.clients()}`, { json })).toMatchObject({ body: { code } });
  const { body } = await call<ClientRecord[]>(coordinator.url, `GET ${routes.clients()}`);
  expect(body).toEqual([]);
});

test.each<[what: string, bytes: Uint8Array, detail: RegExp]>([
  ["empty", new Uint8Array(0), /0 bytes/],
  ["of three bytes", Uint8Array.of(1, 2, 3), /3 bytes are not a multiple of 4/],
  ["with a NaN", new Uint8Array(Float32Array.of(0, Number.NaN).buffer), /weight 1 is NaN/],
])("an uploaded model %s is refused", async (_what, bytes, detail) => {
  const refused = await call(coordinator.url, `POST ${routes.uploadModel()}`, { bytes });
  expect(refused).toMatchObject({ status: 400, body: { code: "bad_request" } });
  expect(refused.body.detail).toMatch(detail);
});

test("a model that was uploaded as JSON is refused", async () => {
  const refused = await call(coordinator.url, `POST ${routes.uploadModel()}`, { json: [1, 2] });
  expect(refused).toMatchObject({ status: 400, body: { code: "bad_request" } });
});

test("E8: on loopback, pages of other origins and requests for other hosts are refused", async () => {
  for (const headers of [
    { origin: "https://evil.example" },
    { origin: "null" },
    { host: "evil.example" },
    { host: "127.0.0.1.evil.example:80" },
    { host: "0.0.0.0" },
  ]) {
    const refused = await call(coordinator.url, `GET ${routes.runs()}`, { headers });
    expect(refused, JSON.stringify(headers)).toMatchObject({ status: 403, body: { code: "forbidden" } });
    const write = await call(coordinator.url, `POST ${routes.runs()}`, { headers, json: specOf() });
    expect(write.status).toBe(403);
  }
  for (const headers of [{ origin: coordinator.url }, { host: "localhost" }, { host: "[::1]:7600" }]) {
    expect((await call(coordinator.url, `GET ${routes.runs()}`, { headers })).status).toBe(200);
  }
});

test("with open access a token that is wrong is still refused, and a device's is only a device's", async () => {
  for (const authorization of ["Bearer nonsense", "Basic YTpi", "Bearer"]) {
    const refused = await call(coordinator.url, `GET ${routes.runs()}`, { headers: { authorization } });
    expect(refused).toMatchObject({ status: 401, body: { code: "unauthorized" } });
  }
  const { token } = await HandDevice.enrol(coordinator.url);
  const refused = await call(coordinator.url, `POST ${routes.runs()}`, { token, json: specOf() });
  expect(refused).toMatchObject({ status: 403, body: { code: "forbidden" } });
});

test("D12, D8: connections that dawdle are closed, one that never says who it is too", async () => {
  const folder = await dataFolder();
  const store = await openSqliteStore(join(folder, "tributary.sqlite"));
  const models = new Models({});
  const { app } = await buildApp({
    store,
    blobs: await openBlobs(join(folder, "blobs")),
    spool: await openSpool(join(folder, "spool")),
    models,
    access: { kind: "open" },
    signer: freshSigner(),
    logger: pino({ level: "silent" }),
    loopbackOnly: true,
  });
  onTestFinished(async () => {
    await app.close();
    await models.close();
    await store.close();
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  const { server, io } = app;
  expect(server.headersTimeout).toBe(10_000);
  expect(server.requestTimeout).toBe(300_000);
  expect(server.timeout).toBe(30_000);
  // The same limits, in less time.
  server.headersTimeout = 300;
  server.requestTimeout = 600;
  io.connectTimeout(300);
  const { port } = server.address() as { port: number };
  const slow = (text: string) =>
    new Promise<string>((resolve, reject) => {
      let reply = "";
      const socket = connect(port, "127.0.0.1", () => socket.write(text));
      socket.on("data", (chunk) => {
        reply += chunk;
      });
      socket.on("error", reject);
      socket.on("close", () => resolve(reply.split("\r\n")[0]!));
    });
  const head = `POST ${routes.runs()} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n`;
  const idle = rawWebSocket(`http://127.0.0.1:${port}`).then(({ closed }) => closed);
  expect(
    await Promise.all([
      slow(""),
      slow("GET /healthz HT"),
      slow("GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slow: "),
      slow(`${head}content-length: 100\r\n\r\n{"name"`),
    ]),
  ).toEqual(Array(4).fill("HTTP/1.1 408 Request Timeout"));
  await idle;
  expect((await call(`http://127.0.0.1:${port}`, "GET /healthz")).status).toBe(200);
});

import { readFile } from "node:fs/promises";
import { get } from "node:https";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { validate } from "@readme/openapi-parser";
import { encodeFrame, type Introduction, isOver, type RunRecord, routes } from "@tributary/protocol";
import { Ajv2020 } from "ajv/dist/2020.js";
import { generate, HttpClient } from "openapi-typescript-codegen";
import { expect, test } from "vitest";
import { call, createRun, runThat } from "../support/coordinator-calls.ts";
import { digestHeader, HandDevice, tinyUpdate } from "../support/coordinator-device.ts";
import { localCoordinator } from "../support/coordinator-local.ts";
import { dataFolder } from "../support/data-folder.ts";
import { enrolmentOf, freshChallenge, freshSigner, loginOf } from "../support/device-identity.ts";
import { EventReader } from "../support/event-reader.ts";
import { specOf } from "../support/specs.ts";

interface Operation {
  readonly summary?: string;
  readonly security?: readonly Record<string, readonly string[]>[];
  readonly responses: Record<string, { content?: Record<string, { schema: object }> }>;
}
interface Document {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: object;
}

async function documentOf(url: string): Promise<Document> {
  return (await call<Document>(url, `GET ${routes.openapi()}`)).body;
}

test("the document is valid OpenAPI 3.1; every operation says what it does, who may call it, and how it refuses", async () => {
  const { url } = await localCoordinator();
  const document = await documentOf(url);
  expect(document.openapi).toBe("3.1.0");
  expect(await validate(structuredClone(document) as never)).toMatchObject({ valid: true, warnings: [] });

  const operations = operationsOf(document);
  const open = operations.filter(({ security }) => security === undefined).map(({ name }) => name);
  expect(open.sort()).toEqual([
    "GET /healthz",
    "GET /openapi.json",
    "GET /readyz",
    "GET /v1/identity",
    "POST /v1/clients",
    "POST /v1/sessions",
  ]);
  for (const { name, summary, responses } of operations) {
    expect(summary, name).toMatch(/\w/);
    expect(Object.keys(responses["4XX"]!.content!), name).toEqual(["application/problem+json"]);
  }
});

test("every documented operation answers as the document says", async () => {
  const { url } = await localCoordinator();
  const document = await documentOf(url);
  const called = new Set<string>();
  const schemas = new Ajv2020({ strict: false, validateFormats: false });

  /** Calls an operation by its documented name and holds the answer against the document. */
  async function ask<Body>(
    name: string,
    values: Record<string, string | number> = {},
    options: Parameters<typeof call>[2] & { query?: string } = {},
  ) {
    called.add(name);
    const [method, path] = name.split(" ") as [string, string];
    const address = path.replace(/\{(\w+)\}/g, (_, value: string) => `${values[value]}`);
    const { query = "", ...rest } = options;
    const reply = await call<Body>(url, `${method} ${address}${query}`, rest);
    const responses = document.paths[path]![method.toLowerCase()]!.responses;
    const documented = responses[reply.status] ?? responses[`${Math.floor(reply.status / 100)}XX`];
    expect(documented, `${name} answered ${reply.status}`).toBeDefined();
    const [type, media] = Object.entries(documented!.content ?? {})[0] ?? [];
    if (type === undefined) expect(reply.status, name).toBe(204);
    else expect(`${reply.headers["content-type"]}`, name).toContain(type);
    if (type?.includes("json")) {
      const check = schemas.compile({ ...media!.schema, components: document.components });
      expect(check(reply.body), `${name}: ${schemas.errorsText(check.errors)}`).toBe(true);
    }
    return reply;
  }

  await ask("GET /openapi.json");
  await ask("GET /healthz");
  await ask("GET /readyz");
  await ask("GET /metrics");
  const spec = specOf({ cohort: { size: 1, minimum: 1, overSelect: 1 }, stop: { rounds: 2 } });
  const { body: made } = await ask<RunRecord>("POST /v1/runs", {}, { json: spec });
  const { run } = made;
  expect((await ask("POST /v1/runs", {}, { json: { name: "?" } })).status).toBe(400);
  await ask("GET /v1/runs");
  await ask("GET /v1/runs/{run}", { run });
  await ask("POST /v1/runs/{run}/start", { run });
  await ask("POST /v1/runs/{run}/pause", { run });
  await ask("POST /v1/runs/{run}/resume", { run });

  const signer = freshSigner();
  const query = () => `?challenge=${encodeURIComponent(freshChallenge())}`;
  const { body: first } = await ask<Introduction>("GET /v1/identity", {}, { query: query() });
  await ask("POST /v1/clients", {}, { json: await enrolmentOf(first, signer) });
  const { body: second } = await ask<Introduction>("GET /v1/identity", {}, { query: query() });
  const login = await loginOf(second, signer);
  const { body: session } = await ask<{ token: string }>("POST /v1/sessions", {}, { json: login });
  const device = new HandDevice(url, { client: login.client, token: session.token });
  await device.connect();
  await device.offer(run);
  await ask("GET /v1/clients");
  await ask("GET /v1/roster", {}, { token: device.token });
  await ask("GET /v1/runs/{run}/clients", { run });
  await ask("GET /v1/state", {}, { token: device.token });
  for (const round of [1, 2]) {
    const { kind: _, question: __, ...address } = await device.asked((hint) => hint.round === round);
    const at = { ...address, client: device.client };
    const step = "/v1/runs/{run}/rounds/{round}/attempts/{attempt}/steps/{step}";
    const asked = await ask(`GET ${step}/questions/{client}`, at, { token: device.token });
    expect(asked.status).toBe(200);
    const bytes = tinyUpdate(0.1);
    const headers = { "content-digest": digestHeader(bytes) };
    const answered = await ask(`PUT ${step}/answers/{client}`, at, { token: device.token, bytes, headers });
    expect(answered.status).toBe(200);
  }
  await runThat(url, run, ({ phase }) => isOver(phase));

  await ask("POST /v1/runs/check", {}, { json: specOf() });
  await ask("GET /v1/runs/{run}/rounds", { run }, { query: "?after=1" });
  await ask("GET /v1/runs/{run}/rounds/{round}", { run, round: 1 });
  await ask("GET /v1/runs/{run}/rounds/{round}/timeline", { run, round: 2 });
  await ask("GET /v1/runs/{run}/history", { run }, { query: "?points=1" });
  await ask("GET /v1/runs/{run}/models", { run });
  const { body: version } = await ask<{ sha256: string }>("GET /v1/runs/{run}/models/{version}", { run, version: 1 });
  await ask("GET /v1/runs/{run}/models/{version}/model.json", { run, version: 1 });
  expect((await ask("GET /v1/runs/{run}/models/{version}/state.json", { run, version: 1 })).status).toBe(409);
  await ask("GET /v1/runs/{run}/models/{version}/weights.bin", { run, version: 1 });
  await ask("GET /v1/blobs/{sha256}", { sha256: version.sha256 });
  await ask("POST /v1/runs/{run}/rollback", { run }, { json: { version: 1 } });
  await ask("POST /v1/models", {}, { bytes: encodeFrame({ weight: 0, values: Float32Array.of(1) }) });
  expect((await ask("POST /v1/runs/{run}/stop", { run })).status).toBe(409);
  await ask("DELETE /v1/clients/{client}", { client: device.client });

  // Event streams do not end by themselves: each event is held against the document as it comes.
  for (const name of ["GET /v1/events", "GET /v1/runs/{run}/events"]) {
    called.add(name);
    const path = name.split(" ")[1]!;
    const schema = document.paths[path]!["get"]!.responses["200"]!.content!["text/event-stream"]!.schema;
    const check = schemas.compile({ ...schema, components: document.components });
    const reader = await EventReader.open(`${url}${path.replace("{run}", run)}?after=0`);
    await reader.until(({ type }) => type === "rollback");
    for (const event of reader.events)
      expect(check(event), `${event.type}: ${schemas.errorsText(check.errors)}`).toBe(true);
  }
  expect([...called].sort()).toEqual(
    operationsOf(document)
      .map(({ name }) => name)
      .sort(),
  );
});

test("a client that a stock generator makes from the document creates a run and watches it to its end", async () => {
  const { url } = await localCoordinator();
  const output = join(await dataFolder(), "client");
  await generate({ input: (await documentOf(url)) as never, output, httpClient: HttpClient.FETCH });
  const { OpenAPI, RunsService } = await import(pathToFileURL(join(output, "index.ts")).href);
  OpenAPI.BASE = url;
  expect(await readFile(join(output, "models/RunSpec.ts"), "utf8")).toContain("export type RunSpec");

  const spec = specOf({ cohort: { size: 1, minimum: 1, overSelect: 1 }, stop: { rounds: 1 } });
  const { run } = await RunsService.postRuns(spec);
  expect(await RunsService.postRunsByRunStart(run)).toMatchObject({ run, phase: "gathering" });
  const device = await HandDevice.joined(url, run);
  await device.answer(await device.asked(), tinyUpdate(0.1));

  for (let record = await RunsService.getRunsByRun(run); record.phase !== "finished"; ) {
    expect(isOver(record.phase)).toBe(false);
    record = await RunsService.getRunsByRun(run);
  }
  expect(await RunsService.getRunsByRunRounds(run, 0)).toMatchObject([{ run, round: 1, survivors: [device.client] }]);
});

test("the reference at /docs comes from the coordinator alone", async () => {
  const { url } = await localCoordinator();
  const { status, headers } = await call(url, `GET ${routes.docs()}`);
  expect([status, headers["location"]]).toEqual([301, "/docs/"]);
  const page = await call<Uint8Array>(url, "GET /docs/");
  expect(page.headers["content-security-policy"]).toContain("default-src 'none'; script-src 'self' 'wasm-unsafe-eval'");
  const named = [
    ...Buffer.from(page.body)
      .toString()
      .matchAll(/(?:src|href)="([^"]+)"/g),
  ].map(([, address]) => address!);
  expect(named.length).toBeGreaterThan(1);
  for (const address of named) expect(address).toMatch(/^\.\.\//);
});

test("what happened is counted for Prometheus", async () => {
  const { url } = await localCoordinator();
  const cohort = { size: 1, minimum: 1, overSelect: 1 };
  const { run } = await createRun(url, specOf({ cohort, stop: { rounds: 2 } }));
  const device = await HandDevice.joined(url, run);
  for (const round of [1, 2]) await device.answer(await device.asked((hint) => hint.round === round), tinyUpdate(0.1));
  await runThat(url, run, ({ phase }) => isOver(phase));
  await call(url, `GET ${routes.run("run-00000000")}`);

  const { body } = await call<Uint8Array>(url, `GET ${routes.metrics()}`);
  const text = Buffer.from(body).toString();
  const figure = (series: string) =>
    Number(
      text
        .split("\n")
        .find((line) => line.startsWith(`${series} `))
        ?.split(" ")[1],
    );
  expect(figure(`tributary_rounds_total{run="${run}",outcome="committed"}`)).toBe(2);
  expect(figure('tributary_step_seconds_count{kind="train",step="update"}')).toBe(2);
  expect(figure("tributary_aggregation_seconds_count")).toBe(2);
  expect(figure("tributary_connected_clients")).toBe(1);
  expect(figure('tributary_runs{phase="finished"}')).toBe(1);
  expect(figure('tributary_refusals_total{code="not_found"}')).toBe(1);
  expect(figure('tributary_http_bytes_total{direction="up"}')).toBeGreaterThanOrEqual(2 * tinyUpdate(0.1).byteLength);
  expect(figure("tributary_spool_bytes")).not.toBeNaN();
  for (const name of ["nodejs_eventloop_lag_seconds", "process_resident_memory_bytes"])
    expect(figure(name), name).not.toBeNaN();
});

test("off loopback metrics and events take the admin key; the API's description does not", async () => {
  const { url, minted } = await localCoordinator({ host: "0.0.0.0", tls: "self-signed" });
  const status = (path: string, key?: string) =>
    new Promise<number>((resolve, reject) => {
      const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
      const address = `${url.replace("0.0.0.0", "127.0.0.1")}${path}`;
      get(address, { headers, rejectUnauthorized: false }, (response) => {
        response.destroy();
        resolve(response.statusCode!);
      }).on("error", reject);
    });
  for (const path of [routes.metrics(), routes.events()]) {
    expect([await status(path), await status(path, minted!.adminKey)], path).toEqual([401, 200]);
  }
  expect(await status(routes.openapi())).toBe(200);
});

function operationsOf({ paths }: Document): (Operation & { readonly name: string })[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ ...operation, name: `${method.toUpperCase()} ${path}` })),
  );
}

import { get } from "node:http";
import { gunzipSync } from "node:zlib";
import { type RunRecord, routes } from "@tributary/protocol";
import { expect, test } from "vitest";
import { call, createRun } from "../support/coordinator-calls.ts";
import { localCoordinator } from "../support/coordinator-local.ts";
import { longRun } from "../support/long-run.ts";
import { specOf } from "../support/specs.ts";

/** An answer's bytes as they were sent, asked for with this Accept-Encoding; of an event stream the first ones. */
function sent(url: string, path: string, accepted: string) {
  return new Promise<{ bytes: Buffer; headers: Record<string, unknown> }>((resolve, reject) => {
    const request = get(`${url}${path}`, { agent: false, headers: { "accept-encoding": accepted } }, (response) => {
      const chunks: Buffer[] = [];
      const end = () => resolve({ bytes: Buffer.concat(chunks), headers: response.headers });
      response.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        if (response.headers["content-type"] !== "text/event-stream") return;
        end();
        request.destroy();
      });
      response.on("end", end);
    });
    request.on("error", reject);
  });
}

test("long answers are gzipped where the reader takes it, and say the same", async () => {
  const { url, run } = await longRun(300, 5);
  for (const path of [`${routes.history(run)}?points=300`, routes.rounds(run), routes.openapi()]) {
    const plain = await sent(url, path, "identity");
    const small = await sent(url, path, "br, gzip;q=0.8");
    expect(plain.headers["content-encoding"]).toBeUndefined();
    expect(small.headers["content-encoding"]).toBe("gzip");
    expect([plain.headers["vary"], small.headers["vary"]]).toEqual(["accept-encoding", "accept-encoding"]);
    expect(Number(small.headers["content-length"])).toBe(small.bytes.length);
    expect(gunzipSync(small.bytes).equals(plain.bytes)).toBe(true);
    expect(small.bytes.length).toBeLessThan(plain.bytes.length / 4);
    expect((await sent(url, path, "gzip;q=0, br")).headers["content-encoding"]).toBeUndefined();
  }
});

test("event streams, weights and short answers leave as they are", async () => {
  const { url } = await localCoordinator();
  const { run } = await createRun(url, specOf({ name: "x".repeat(60) }), { start: false });
  for (const path of [`${routes.events()}?after=0`, routes.modelWeights(run, 0), routes.health(), routes.run(run)]) {
    const { headers, bytes } = await sent(url, path, "gzip");
    expect([path, headers["content-encoding"]]).toEqual([path, undefined]);
    expect(bytes.length).toBeGreaterThan(0);
  }
});

test("a run is shown without its specification where that is asked for, and with it otherwise", async () => {
  const { url } = await localCoordinator();
  const { run, spec } = await createRun(url, specOf(), { start: false });
  const shown = async (path: string) => (await call<RunRecord>(url, `GET ${path}`)).body;
  const { spec: found, ...rest } = await shown(routes.run(run));
  expect(found).toEqual(spec);
  expect(await shown(`${routes.run(run)}?spec=true`)).toEqual({ ...rest, spec });
  expect(await shown(`${routes.run(run)}?spec=false`)).toEqual(rest);
  expect(await shown(routes.runs())).toEqual([{ ...rest, spec }]);
  expect(await shown(`${routes.runs()}?spec=false`)).toEqual([rest]);
  expect((await call(url, `GET ${routes.runs()}?spec=some`)).status).toBe(400);
});

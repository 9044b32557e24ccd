import { request as httpRequest, type OutgoingHttpHeaders } from "node:http";
import type { Problem, RunRecord } from "@tributary/protocol";
import { routes } from "@tributary/protocol";

export interface Reply<Body = unknown> {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Body;
}

export interface Call {
  readonly token?: string | undefined;
  readonly headers?: OutgoingHttpHeaders;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as they are, with a Content-Length; a list of parts goes chunked, without one. */
  readonly bytes?: Uint8Array | string | readonly Uint8Array[];
}

/** One HTTP request with exactly these headers. JSON comes back parsed, anything else as bytes. */
export function call<Body = Problem>(url: string, what: string, options: Call = {}): Promise<Reply<Body>> {
  const [method, path] = what.split(" ") as [string, string];
  const { token, json, bytes } = options;
  const body = json === undefined ? bytes : JSON.stringify(json);
  const parts = Array.isArray(body) ? (body as Uint8Array[]) : undefined;
  const whole = parts === undefined ? (body as Uint8Array | string | undefined) : undefined;
  const headers = {
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(json === undefined ? {} : { "content-type": "application/json" }),
    ...(bytes === undefined ? {} : { "content-type": "application/octet-stream" }),
    ...(whole === undefined ? {} : { "content-length": Buffer.byteLength(whole) }),
    ...options.headers,
  };
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${url}${path}`, { method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const raw = Buffer.concat(chunks);
        const isJson = /json/.test(response.headers["content-type"] ?? "");
        const parsed = isJson ? JSON.parse(raw.toString()) : new Uint8Array(raw);
        resolve({ status: response.statusCode!, headers: response.headers, body: parsed as Body });
      });
    });
    // A refusal may come before the body is through; then the reply counts, not the broken pipe.
    request.on("error", (error) => setImmediate(() => reject(error)));
    if (parts === undefined) request.end(whole);
    else {
      for (const part of parts) request.write(part);
      request.end();
    }
  });
}

/** A new run of this spec, started unless `start` is false. */
export async function createRun(url: string, spec: unknown, options: Call & { start?: boolean } = {}) {
  const { start = true, ...rest } = options;
  const created = await call<RunRecord>(url, `POST ${routes.runs()}`, { ...rest, json: spec });
  if (created.status !== 201) throw new Error(`the run was refused: ${JSON.stringify(created.body)}`);
  if (!start) return created.body;
  return (await call<RunRecord>(url, `POST ${routes.runAction("start", created.body.run)}`, rest)).body;
}

/** The run's record as soon as it satisfies the condition; looks every 20 ms. */
export async function runThat(
  url: string,
  run: string,
  fits: (record: RunRecord) => boolean,
  options: Call = {},
): Promise<RunRecord> {
  for (;;) {
    const { body } = await call<RunRecord>(url, `GET ${routes.run(run)}`, options);
    if (fits(body)) return body;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

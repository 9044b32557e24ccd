import { EventStreamReader, type Fault, type Problem, routes, type StreamMessage } from "@tributary/protocol";

const patienceMs = 60_000;
const keyName = "tributary-admin-key";

/** The coordinator refused a request, in its own words. `status` 0: it did not answer. */
export class Refused extends Error {
  readonly status: number;
  readonly faults: readonly Fault[];

  constructor(status: number, detail: string, faults: readonly Fault[] = []) {
    super(detail);
    this.name = "Refused";
    this.status = status;
    this.faults = faults;
  }
}

type Method = "GET" | "POST" | "DELETE";

/** The coordinator's REST API, with the operator's key where there is one: in this tab's session, nowhere else. */
export const api = {
  get hasKey(): boolean {
    return sessionStorage.getItem(keyName) !== null;
  },
  useKey(key: string | undefined): void {
    if (key === undefined) sessionStorage.removeItem(keyName);
    else sessionStorage.setItem(keyName, key);
  },
  async get<Value>(path: string): Promise<Value> {
    // A request on a dead line would keep everything that waits for it from being asked for again.
    return (await send("GET", path, { signal: AbortSignal.timeout(patienceMs) })).json() as Promise<Value>;
  },
  async post<Value>(path: string, body?: unknown): Promise<Value> {
    return (await send("POST", path, body === undefined ? {} : { body })).json() as Promise<Value>;
  },
  async delete(path: string): Promise<void> {
    await send("DELETE", path);
  },
  /** Saves what a path answers with as a file: a plain link could not carry the key. */
  async download(path: string, name: string): Promise<void> {
    const address = URL.createObjectURL(await (await send("GET", path)).blob());
    const link = Object.assign(document.createElement("a"), { href: address, download: name });
    link.click();
    URL.revokeObjectURL(address);
  },
  /**
   * Server-sent events after number `after` (default: new ones), until the connection ends. Calls `onWord` at whatever
   * comes, heartbeats too; rejects when nothing comes for `silenceMs`, since a line can die without an end.
   */
  async *events(
    after: string,
    line: { readonly signal: AbortSignal; readonly silenceMs: number; readonly onWord: () => void },
  ): AsyncGenerator<StreamMessage> {
    const silence = new AbortController();
    const watchdog = () => setTimeout(() => silence.abort(), line.silenceMs);
    let timer = watchdog();
    try {
      const headers: Record<string, string> = after === "" ? {} : { "last-event-id": after };
      const signal = AbortSignal.any([line.signal, silence.signal]);
      const response = await send("GET", routes.events(), { headers, signal });
      const reader = new EventStreamReader();
      const decoder = new TextDecoder();
      const body = response.body!.getReader();
      for (;;) {
        const { done, value } = await body.read();
        if (done) return;
        clearTimeout(timer);
        timer = watchdog();
        line.onWord();
        yield* reader.read(decoder.decode(value, { stream: true }));
      }
    } finally {
      clearTimeout(timer);
    }
  },
};

/** The shell command that asks for the same. The key is named, never written out: a command ends up in histories. */
export function curlOf(method: Method, path: string, body?: unknown): string {
  const parts = ["curl", ...(method === "GET" ? [] : ["-X", method])];
  if (api.hasKey) parts.push('-H "Authorization: Bearer $TRIBUTARY_ADMIN_KEY"');
  if (body !== undefined) parts.push("-H 'Content-Type: application/json'", `-d ${quoted(JSON.stringify(body))}`);
  // A stream is shown as it comes, and what is not text goes into a file.
  if (/\/events\b/.test(path)) parts.push("-N");
  if (path.endsWith(".bin")) parts.push("-O");
  return [...parts, quoted(`${location.origin}${path}`)].join(" ");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

async function send(
  method: Method,
  path: string,
  options: { headers?: Record<string, string>; body?: unknown; signal?: AbortSignal } = {},
): Promise<Response> {
  const key = sessionStorage.getItem(keyName);
  const { body, signal } = options;
  const response = await fetch(path, {
    method,
    ...(signal === undefined ? {} : { signal }),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    headers: {
      ...options.headers,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
    },
  }).catch((error: Error) => {
    throw new Refused(0, `The coordinator does not answer (${error.message}).`);
  });
  if (response.ok) return response;
  const problem = (await response.json().catch(() => undefined)) as Problem | undefined;
  throw new Refused(
    response.status,
    problem?.detail ?? `${method} ${path}: status ${response.status}`,
    problem?.faults,
  );
}

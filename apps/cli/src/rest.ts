import { pinnedTls, platformTls, type Transport } from "@tributary/node-client/tls";
import { EventStreamReader, Problem, ProtocolError, type StreamMessage } from "@tributary/protocol";
import Value from "typebox/value";

export interface RestOptions {
  /** Address of the coordinator: `http://127.0.0.1:7600`. */
  readonly url: string;
  readonly adminKey?: string | undefined;
  /** SHA-256 of a self-signed coordinator's certificate. */
  readonly fingerprint?: string | undefined;
}

function mend(why: string): string {
  return /certificate|altnames/i.test(why)
    ? "Its certificate is not one that this machine trusts: give --fingerprint, as the coordinator printed it."
    : "Is the coordinator running there (tributary coordinator)?";
}

/** How long one request may take; a model of a gigabyte over a slow line takes a while. */
const requestMs = 600_000;

/** The coordinator's REST API, as the command line uses it. Refusals come back as the ProtocolError they were. */
export class Rest {
  readonly #url: string;
  readonly #adminKey: string | undefined;
  readonly #transport: Transport;

  private constructor(options: RestOptions, transport: Transport) {
    this.#url = options.url.replace(/\/+$/, "");
    this.#adminKey = options.adminKey;
    this.#transport = transport;
  }

  static async open(options: RestOptions): Promise<Rest> {
    if (!URL.canParse(options.url) || !/^https?:/.test(options.url)) {
      throw new ProtocolError("bad_request", `"${options.url}" is not an address like http://127.0.0.1:7600`);
    }
    const { url, fingerprint } = options;
    return new Rest(options, fingerprint === undefined ? platformTls() : await pinnedTls(url, fingerprint));
  }

  get<Value>(path: string): Promise<Value> {
    return this.#json<Value>("GET", path);
  }

  post<Value>(path: string, body?: unknown): Promise<Value> {
    return this.#json<Value>("POST", path, body);
  }

  delete(path: string): Promise<void> {
    return this.#json<void>("DELETE", path);
  }

  async bytes(path: string): Promise<Uint8Array> {
    const response = await this.#send("GET", path);
    return new Uint8Array(await response.arrayBuffer());
  }

  async upload<Value>(path: string, bytes: Uint8Array): Promise<Value> {
    const response = await this.#send("POST", path, { body: bytes, type: "application/octet-stream" });
    return (await response.json()) as Value;
  }

  /** Server-sent events from `path`, until the coordinator ends the stream, the line breaks, or the signal comes. */
  async *events(
    path: string,
    { signal, onOpen }: { signal: AbortSignal; onOpen: () => void },
  ): AsyncGenerator<StreamMessage> {
    const response = await this.#send("GET", path, undefined, signal);
    onOpen();
    const reader = new EventStreamReader();
    const decoder = new TextDecoder();
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      yield* reader.read(decoder.decode(chunk, { stream: true }));
    }
  }

  async #json<Value>(method: string, path: string, body?: unknown): Promise<Value> {
    const sent = body === undefined ? undefined : { body: JSON.stringify(body), type: "application/json" };
    const response = await this.#send(method, path, sent);
    return (response.status === 204 ? undefined : await response.json()) as Value;
  }

  async #send(
    method: string,
    path: string,
    sent?: { body: string | Uint8Array; type: string },
    signal: AbortSignal = AbortSignal.timeout(requestMs),
  ) {
    const headers: Record<string, string> = {};
    if (this.#adminKey !== undefined) headers["authorization"] = `Bearer ${this.#adminKey}`;
    if (sent !== undefined) headers["content-type"] = sent.type;
    const body = sent === undefined ? {} : { body: sent.body as string | Uint8Array<ArrayBuffer> };
    const answer = await this.#transport
      .fetch(`${this.#url}${path}`, { method, headers, signal, ...body })
      .catch((cause: unknown) => {
        const why = (cause as { cause?: { message?: string } }).cause?.message ?? (cause as Error).message;
        throw new ProtocolError("coordinator_unreachable", `${this.#url} does not answer (${why}). ${mend(why)}`, {
          cause,
        });
      });
    const { status } = answer;
    const response = new Response(status === 204 || status === 304 ? null : (answer.body as ReadableStream), {
      status,
    });
    if (response.ok) return response;
    const document: unknown = await response.json().catch(() => undefined);
    if (Value.Check(Problem, document)) throw ProtocolError.from(document);
    throw new ProtocolError("internal", `${method} ${path} was answered with status ${response.status}`);
  }
}

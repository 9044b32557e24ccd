import { Problem, ProtocolError, parse, type RunId, type socketEvents } from "@tributary/protocol";
import { io, type Socket } from "socket.io-client";
import type { Static, TSchema } from "typebox";
import type { Clock } from "./clock.ts";
import { type Departure, type EnginePacket, entryOf, type Ledger, type Protection, packetDeparture } from "./ledger.ts";
import { type HttpResponse, readBytes, readJson, readRefusal } from "./response.ts";

/** The part of the Fetch standard that a device uses; `fetch` of a browser, of Node and of undici fit. */
export type Fetch = (
  url: string,
  init: {
    method: string;
    headers: Record<string, string>;
    body?: string | Uint8Array<ArrayBuffer>;
    signal: AbortSignal;
  },
) => Promise<HttpResponse>;

/** Options for the socket's transport; `agent` is Node's `https.Agent`. */
export interface SocketTransport {
  readonly agent?: unknown;
}

export interface Request {
  readonly method: "GET" | "POST" | "PUT";
  readonly path: string;
  readonly token?: string;
  readonly json?: unknown;
  readonly bytes?: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** What the ledger says of the body. */
  readonly about?: {
    readonly kind: string;
    readonly run?: RunId;
    readonly round?: number;
    readonly protection?: Protection;
  };
}

type DeviceEvent = keyof (typeof socketEvents)["fromDevice"];
const quietMs = 30_000;
const slowestBytesPerMs = 16;

/**
 * Everything that a device sends leaves through here, HTTP requests and socket messages alike: no other module holds
 * `fetch` or opens a socket. What leaves is recorded in the ledger, if there is one.
 */
export class Outbox {
  readonly coordinator: string;
  readonly #fetch: Fetch;
  readonly #transport: SocketTransport;
  readonly #clock: Clock;
  readonly #ledger: Ledger | undefined;
  /** Why the ledger could not be written; nothing is sent from then on. */
  #ledgerFault: unknown;
  /** Socket frames on their way to the ledger, in the order in which they left. */
  #recording: Promise<void> = Promise.resolve();

  /** `coordinator` is its base URL; a path in it prefixes every route. */
  constructor(options: {
    coordinator: string;
    fetch: Fetch;
    socket?: SocketTransport;
    clock: Clock;
    ledger?: Ledger | undefined;
  }) {
    this.coordinator = options.coordinator.replace(/\/+$/, "");
    this.#fetch = options.fetch;
    this.#transport = options.socket ?? {};
    this.#clock = options.clock;
    this.#ledger = options.ledger;
  }

  /** The JSON answer to a request. Throws the refusal that the coordinator sent, or `coordinator_unreachable`. */
  json<Schema extends TSchema>(request: Request, schema: Schema, what: string): Promise<Static<Schema>> {
    return this.#exchange(request, 0, (response) => readJson(response, schema, what));
  }

  /** The bytes that a request answers with, at most `limit`. Throws as `json` does. */
  bytes(request: Request, limit: number): Promise<Uint8Array> {
    return this.#exchange(request, limit, (response) => readBytes(response, limit));
  }

  /**
   * A new socket, connected; `onMessage` gets every event that arrives on it, `onClose` the reason of its end. Throws the
   * refusal of the handshake, or `coordinator_unreachable`.
   */
  async connect(options: {
    token: string;
    signal: AbortSignal;
    onMessage: (event: string, payload: unknown) => void;
    onClose: (reason: string) => void;
  }): Promise<Socket> {
    const { token, signal, onMessage, onClose } = options;
    signal.throwIfAborted();
    const { origin, pathname } = new URL(this.coordinator);
    const path = `${pathname.replace(/\/$/, "")}/socket.io`;
    const destination = `${origin.replace(/^http/, "ws")}${path}`;
    await this.#record({ kind: "request", destination: `GET ${destination}`, body: "" });
    const socket = io(origin, {
      ...(this.#transport as object),
      path,
      auth: { token },
      transports: ["websocket"],
      forceNew: true,
      reconnection: false,
      timeout: quietMs,
    });
    // Each packet is one frame; this sees it before the transport does.
    socket.io.engine.on("packetCreate", (packet: EnginePacket) => this.#recordFrame(packet, { destination, socket }));
    // Before the handshake, so that a message right behind it is not lost.
    socket.onAny(onMessage);
    socket.on("disconnect", onClose);
    return new Promise((resolve, reject) => {
      const stop = () => {
        socket.close();
        reject(signal.reason);
      };
      signal.addEventListener("abort", stop, { once: true });
      socket.once("connect", () => {
        signal.removeEventListener("abort", stop);
        resolve(socket);
      });
      socket.once("connect_error", (error: Error & { data?: unknown }) => {
        signal.removeEventListener("abort", stop);
        socket.close();
        reject(this.#handshakeRefusal(error));
      });
    });
  }

  /** Sends one event and gives what the coordinator acknowledged it with. Throws its refusal, or `coordinator_unreachable`. */
  async emit(socket: Socket, event: DeviceEvent, payload: object, waitMs = quietMs): Promise<unknown> {
    // A disconnected socket would keep the message and send it after the reconnection, when it no longer means anything.
    if (!socket.connected) throw new ProtocolError("coordinator_unreachable", `${event}: the socket is not connected`);
    let answer: unknown;
    try {
      answer = await socket.timeout(waitMs).emitWithAck(event, payload);
    } catch (error) {
      throw new ProtocolError("coordinator_unreachable", `${event}: no acknowledgement (${causeOf(error)})`);
    }
    const ack = answer as { ok?: unknown; value?: unknown; problem?: unknown } | null;
    if (ack?.ok === true) return ack.value;
    throw ProtocolError.from(parse(Problem, ack?.problem, { what: `acknowledgement of ${event}` }));
  }

  async #exchange<Value>(
    request: Request,
    expectedBytes: number,
    read: (response: HttpResponse) => Promise<Value>,
  ): Promise<Value> {
    const { method, path, token, json, bytes, signal } = request;
    signal.throwIfAborted();
    const body = json === undefined ? bytes : JSON.stringify(json);
    const departure = { kind: body === undefined ? "request" : "body", ...request.about, body: body ?? "" };
    await this.#record({ ...departure, destination: `${method} ${this.coordinator}${path}` });
    const patience = new AbortController();
    const limitMs = quietMs + ((bytes?.byteLength ?? 0) + expectedBytes) / slowestBytesPerMs;
    const cancel = this.#clock.setTimeout(() => patience.abort(), limitMs);
    try {
      const response = await this.#fetch(`${this.coordinator}${path}`, {
        method,
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(json === undefined ? {} : { "content-type": "application/json" }),
          ...(bytes === undefined ? {} : { "content-type": "application/octet-stream" }),
          ...request.headers,
        },
        ...(body === undefined ? {} : { body: body as string | Uint8Array<ArrayBuffer> }),
        signal: AbortSignal.any([signal, patience.signal]),
      });
      if (!response.ok) throw await readRefusal(response, `${method} ${path}`);
      return await read(response);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ProtocolError) throw error;
      throw this.#unreachable(patience.signal.aborted ? `nothing for ${Math.round(limitMs / 1000)} s` : causeOf(error));
    } finally {
      cancel();
    }
  }

  /** Resolves when the ledger has everything that was sent so far. */
  recorded(): Promise<void> {
    return this.#recording;
  }

  async #record(departure: Departure): Promise<void> {
    if (this.#ledger === undefined) return;
    const now = this.#clock.now();
    const { entry, bytes } = await entryOf(departure, now);
    if (this.#ledgerFault !== undefined) throw this.#ledgerFault;
    await this.#ledger.record(entry, bytes);
  }

  #recordFrame(packet: EnginePacket, { destination, socket }: { destination: string; socket: Socket }): void {
    if (this.#ledger === undefined) return;
    const recorded = this.#record(packetDeparture(packet, destination));
    this.#recording = Promise.all([this.#recording, recorded]).then(
      () => undefined,
      (error: unknown) => {
        this.#ledgerFault ??= error;
        socket.close();
      },
    );
  }

  #handshakeRefusal(error: Error & { data?: unknown }): ProtocolError {
    if (error.data === undefined) return this.#unreachable(causeOf(error));
    return ProtocolError.from(parse(Problem, error.data, { what: "refusal of the socket" }));
  }

  #unreachable(cause: string): ProtocolError {
    const certificate = /certificate|self.signed|altnames/i.test(cause)
      ? "the certificate is not one this device trusts: give the fingerprint that the coordinator printed when it started"
      : "check that it runs, the address and port, and any firewall between";
    return new ProtocolError(
      "coordinator_unreachable",
      `${this.coordinator} does not answer (${cause}); ${certificate}`,
    );
  }
}

/** The innermost reason of a network failure: `fetch failed` says nothing, its cause does. */
function causeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return causeOf(error.errors[0]);
  if (!(error instanceof Error)) {
    const inner = (error as { message?: unknown; error?: unknown } | null) ?? {};
    return inner.error instanceof Error ? causeOf(inner.error) : String(inner.message ?? error);
  }
  const inner = error.cause ?? (error as { description?: { error?: unknown } }).description?.error;
  return inner instanceof Error ? causeOf(inner) : error.message || error.name;
}

import { RunId, type Sha256 } from "@tributary/protocol";
import Value from "typebox/value";
import { hex, sha256 } from "./digest.ts";

/**
 * What the coordinator can read in the bytes: all of them; nothing, because they are masked for a secure sum; or the
 * parts of the key agreement that the sum needs (public keys, sealed or revealed shares, tags).
 */
export type Protection = "none" | "masked" | "keys" | "shares" | "tags";

/** One thing that left this device: the body of an HTTP request, or the payload of one frame of a socket. */
export interface LedgerEntry {
  /** ISO 8601, on the device's clock. */
  readonly time: string;
  readonly run?: RunId;
  readonly round?: number;
  /** `enrolment`, `update`, `judgement`, `request` (an HTTP request without a body), or the socket event's name. */
  readonly kind: string;
  /** Method and address, or the socket's. Every part of a request that a server reads besides headers and body. */
  readonly destination: string;
  readonly bytes: number;
  readonly sha256: Sha256;
  readonly protection: Protection;
}

/**
 * Where a device writes down what it sends. `record` gets the bytes too, to look at and not to change. A request leaves once
 * it is done. It may throw or reject: the request that it was called for is then not sent, a socket is closed.
 */
export interface Ledger {
  record(entry: LedgerEntry, body: Uint8Array): void | Promise<void>;
}

/** What is about to leave. */
export interface Departure {
  readonly kind: string;
  readonly destination: string;
  /** Text counts as its UTF-8 bytes. */
  readonly body: Uint8Array | string;
  readonly protection?: Protection;
  readonly run?: RunId;
  readonly round?: number;
}

/** The ledger's entry for a departure at `now` (ms since the epoch), and the bytes that leave. */
export async function entryOf(
  departure: Departure,
  now: number,
): Promise<{ readonly entry: LedgerEntry; readonly bytes: Uint8Array }> {
  const { kind, destination, body, protection = "none", run, round } = departure;
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const entry: LedgerEntry = {
    time: new Date(now).toISOString(),
    ...(run === undefined ? {} : { run }),
    ...(round === undefined ? {} : { round }),
    kind,
    destination,
    bytes: bytes.byteLength,
    sha256: hex(await sha256(bytes)) as Sha256,
    protection,
  };
  return { entry, bytes };
}

/** A packet of engine.io, which carries Socket.IO, before it is written: one WebSocket frame. */
export interface EnginePacket {
  readonly type: string;
  readonly data?: unknown;
}

/** engine.io's protocol, version 4: the first character of a frame says what it is. */
const packetTypes: Readonly<Record<string, string>> = {
  open: "0",
  close: "1",
  ping: "2",
  pong: "3",
  message: "4",
  upgrade: "5",
  noop: "6",
};

/** The departure that a packet is. Binary packets are sent as they are, text behind the character of their type. */
export function packetDeparture({ type, data }: EnginePacket, destination: string): Departure {
  if (data instanceof Uint8Array) return { kind: "binary", destination, body: data };
  if (data instanceof ArrayBuffer) return { kind: "binary", destination, body: new Uint8Array(data) };
  const text = typeof data === "string" ? data : "";
  return { ...meaningOf(type, text), destination, body: `${packetTypes[type] ?? ""}${text}` };
}

/** Socket.IO's protocol, version 5: `0{auth}` connects, `1` disconnects, `2id["event",payload]` sends an event. */
function meaningOf(type: string, data: string): Pick<Departure, "kind" | "run" | "round"> {
  if (type !== "message") return { kind: type };
  if (data.startsWith("0")) return { kind: "connect" };
  if (data.startsWith("1")) return { kind: "disconnect" };
  const event = /^2\d*(\[.*\])$/s.exec(data)?.[1];
  if (event === undefined) return { kind: "message" };
  const [name, payload] = JSON.parse(event) as [string, { run?: unknown; round?: unknown } | undefined];
  const { run, round } = payload ?? {};
  return {
    kind: name,
    ...(Value.Check(RunId, run) ? { run } : {}),
    ...(typeof round === "number" ? { round } : {}),
  };
}

import { createServer, request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** What went through the proxy from a device to the coordinator. */
export type Captured =
  | {
      readonly kind: "request";
      readonly method: string;
      readonly path: string;
      readonly headers: IncomingHttpHeaders;
      readonly body: Uint8Array;
    }
  /** One data frame of a WebSocket (text or binary), unmasked; control frames carry nothing of a device's. */
  | { readonly kind: "frame"; readonly payload: Uint8Array };

/** Stands between devices and a coordinator and keeps a copy of every byte that devices send. */
export interface RecordingProxy {
  readonly url: string;
  readonly captured: readonly Captured[];
  /** Bytes of all bodies and frames' payloads so far. */
  payloadBytes(): number;
  /** Breaks the network: what is open ends without a word, and nothing gets through until the function returned is called. */
  cut(): () => void;
}

/**
 * A recording proxy before the coordinator at `target` (plain http), for as long as the test lasts. A request that `hold`
 * gives a promise for goes on, whole, once that is kept.
 */
export async function recordingProxy(
  target: string,
  hold: (request: { method: string; path: string }) => Promise<void> | undefined = () => undefined,
): Promise<RecordingProxy> {
  const { hostname, port } = new URL(target);
  const captured: Captured[] = [];
  const open = new Set<Socket>();

  /** As the coordinator would have got them: its own host, and its own page's origin. */
  const readdressed = (headers: IncomingHttpHeaders): IncomingHttpHeaders => {
    const host = `${hostname}:${port}`;
    return { ...headers, host, ...(headers.origin === undefined ? {} : { origin: `http://${host}` }) };
  };
  const server = createServer((incoming, outgoing) => {
    const { method = "", url: path = "", headers } = incoming;
    const chunks: Buffer[] = [];
    const forward = httpRequest({ hostname, port, method, path, headers: readdressed(headers) });
    const held = hold({ method, path });
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => captured.push({ kind: "request", method, path, headers, body: Buffer.concat(chunks) }));
    if (held === undefined) incoming.pipe(forward);
    else incoming.on("end", () => void held.then(() => forward.end(Buffer.concat(chunks))));
    forward.on("response", (response) => {
      outgoing.writeHead(response.statusCode!, response.headers);
      response.pipe(outgoing);
    });
    forward.on("error", () => outgoing.destroy());
  });

  server.on("upgrade", (incoming, down: Socket, first: Buffer) => {
    const { method = "", url: path = "", headers } = incoming;
    captured.push({ kind: "request", method, path, headers, body: new Uint8Array() });
    const frames = new FrameReader((payload) => captured.push({ kind: "frame", payload }));
    const up = connect(Number(port), hostname, () => {
      const lines = Object.entries(readdressed(headers)).map(([name, value]) => `${name}: ${value}`);
      up.write(`${method} ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
      const pass = (bytes: Buffer) => {
        frames.read(bytes);
        up.write(bytes);
      };
      if (first.length > 0) pass(first);
      down.on("data", pass);
      up.pipe(down);
    });
    for (const [one, other] of [
      [down, up],
      [up, down],
    ] as const) {
      open.add(one);
      one.on("close", () => other.destroy());
      one.on("error", () => other.destroy());
    }
  });

  let isCut = false;
  server.on("connection", (socket) => {
    if (isCut) socket.destroy();
  });
  const breakOff = () => {
    for (const socket of open) socket.destroy();
    server.closeAllConnections();
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    breakOff();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    captured,
    cut() {
      isCut = true;
      breakOff();
      return () => {
        isCut = false;
      };
    },
    payloadBytes: () =>
      captured.reduce((sum, one) => sum + (one.kind === "frame" ? one.payload : one.body).byteLength, 0),
  };
}

/** Reads a client's WebSocket frames (RFC 6455, §5.2) out of a byte stream; gives the payloads of data frames. */
class FrameReader {
  readonly #onPayload: (payload: Uint8Array) => void;
  #pending: Buffer = Buffer.alloc(0);

  constructor(onPayload: (payload: Uint8Array) => void) {
    this.#onPayload = onPayload;
  }

  read(bytes: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, bytes]);
    for (let size = this.#take(); size > 0; size = this.#take()) this.#pending = this.#pending.subarray(size);
  }

  /** Bytes of the frame at the front, or 0 while it is not whole. */
  #take(): number {
    const at = this.#pending;
    if (at.length < 2) return 0;
    // A compressed frame would hide what it carries from every search.
    if ((at[0]! & 0x70) !== 0) throw new Error("a frame uses an extension; the proxy must not let one be agreed on");
    const short = at[1]! & 0x7f;
    const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
    if (at.length < 2 + lengthBytes + 4) return 0;
    const length = lengthBytes === 0 ? short : lengthBytes === 2 ? at.readUInt16BE(2) : Number(at.readBigUInt64BE(2));
    const start = 2 + lengthBytes + 4;
    if (at.length < start + length) return 0;
    const mask = at.subarray(start - 4, start);
    const payload = Uint8Array.from(at.subarray(start, start + length), (byte, i) => byte ^ mask[i % 4]!);
    if ((at[0]! & 0x0f) < 8) this.#onPayload(payload);
    return start + length;
  }
}

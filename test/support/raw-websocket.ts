import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import { Log } from "./participant-log.ts";

/** A WebSocket spoken byte by byte, so that it can break the rules. */
export interface RawWebSocket {
  /** The reply to the upgrade: `HTTP/1.1 101 Switching Protocols`. */
  readonly status: string;
  /** Text messages received. */
  readonly received: Log<string>;
  /** Sends a frame; `opcode` 1 is text, 2 binary. */
  send(payload: string | Uint8Array, options?: { opcode?: number; masked?: boolean }): void;
  /** Resolves when the other side has closed: with the close frame's code, if there was one. */
  readonly closed: Promise<number | undefined>;
}

/** Opens Engine.IO's WebSocket at `url`. */
export async function rawWebSocket(url: string, headers: Record<string, string> = {}): Promise<RawWebSocket> {
  const { hostname, port, host } = new URL(url);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  const fields = {
    host,
    upgrade: "websocket",
    connection: "Upgrade",
    "sec-websocket-key": randomBytes(16).toString("base64"),
    "sec-websocket-version": "13",
    ...headers,
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
  socket.write(`GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
  return converse(socket);
}

function converse(socket: Socket): Promise<RawWebSocket> {
  const received = new Log<string>();
  let buffer: Buffer = Buffer.alloc(0);
  let code: number | undefined;
  const closed = new Promise<number | undefined>((resolve) => socket.on("close", () => resolve(code)));
  socket.on("error", () => undefined);
  const send: RawWebSocket["send"] = (payload, { opcode = 1, masked = true } = {}) => {
    const bytes = Buffer.from(payload as Uint8Array);
    socket.write(Buffer.concat([head(opcode, bytes.length, masked), masked ? mask(bytes) : bytes]));
  };
  return new Promise((resolve, reject) => {
    let status: string | undefined;
    socket.on("close", () => reject(new Error("closed before the reply to the upgrade")));
    socket.on("data", (chunk) => {
      buffer = Buffer.concat([buffer, chunk]);
      if (status === undefined) {
        const end = buffer.indexOf("\r\n\r\n");
        if (end < 0) return;
        status = buffer.toString("latin1", 0, buffer.indexOf("\r\n"));
        buffer = buffer.subarray(end + 4);
        resolve({ status, received, send, closed });
      }
      for (let frame = takeFrame(buffer); frame !== undefined; frame = takeFrame(buffer)) {
        buffer = frame.rest;
        if (frame.opcode === 1) received.add(frame.payload.toString());
        if (frame.opcode !== 8) continue;
        if (frame.payload.length >= 2) code = frame.payload.readUInt16BE(0);
        // The other side waits for the close frame in return, or half a minute.
        socket.end(Buffer.concat([head(8, 0, true), mask(Buffer.alloc(0))]));
      }
    });
  });
}

function head(opcode: number, length: number, masked: boolean): Buffer {
  const bit = masked ? 0x80 : 0;
  const first = 0x80 | opcode;
  if (length < 126) return Buffer.of(first, bit | length);
  const long = Buffer.alloc(length < 65_536 ? 4 : 10);
  long.writeUInt8(first, 0);
  long.writeUInt8(bit | (length < 65_536 ? 126 : 127), 1);
  if (length < 65_536) long.writeUInt16BE(length, 2);
  else long.writeBigUInt64BE(BigInt(length), 2);
  return long;
}

function mask(bytes: Buffer): Buffer {
  const key = randomBytes(4);
  return Buffer.concat([key, bytes.map((byte, i) => byte ^ key[i % 4]!)]);
}

function takeFrame(buffer: Buffer): { opcode: number; payload: Buffer; rest: Buffer } | undefined {
  if (buffer.length < 2) return undefined;
  const short = buffer[1]! & 0x7f;
  const start = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (buffer.length < start) return undefined;
  const length = short < 126 ? short : short === 126 ? buffer.readUInt16BE(2) : Number(buffer.readBigUInt64BE(2));
  if (buffer.length < start + length) return undefined;
  const payload = buffer.subarray(start, start + length);
  return { opcode: buffer[0]! & 0x0f, payload, rest: buffer.subarray(start + length) };
}

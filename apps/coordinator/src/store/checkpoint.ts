import { crc32 } from "node:zlib";
import type { ServerState } from "@tributary/algorithm";

/*
 * A server's state as bytes. Little-endian:
 *
 *   magic "TRBS" | version u8 | entries u32 | entry … | CRC-32 of all before, u32
 *   entry: kind u8 (1 number, 2 Float32Array, 3 Float64Array) | name length u16 | name in UTF-8 | elements u32 | elements
 *
 * Entries are sorted by the bytes of their names, so equal states have equal bytes, and one name for a blob.
 */
const magic = 0x53425254; // "TRBS", read as a little-endian u32
const version = 1;
const headBytes = 9;
const kinds = { number: 1, f32: 2, f64: 3 } as const;

/** The bytes that `decodeCheckpoint` turns back into an equal state. */
export function encodeCheckpoint(state: ServerState): Uint8Array {
  const entries = Object.entries(state).map(([name, value]) => ({
    name: Buffer.from(name),
    ...elementsOf(name, value),
  }));
  entries.sort((a, b) => Buffer.compare(a.name, b.name));
  const size = entries.reduce((sum, { name, bytes }) => sum + 7 + name.length + bytes.length, headBytes + 4);
  const out = new Uint8Array(size);
  const view = new DataView(out.buffer);
  view.setUint32(0, magic, true);
  view.setUint8(4, version);
  view.setUint32(5, entries.length, true);
  let at = headBytes;
  for (const { name, kind, bytes, length } of entries) {
    view.setUint8(at, kind);
    view.setUint16(at + 1, name.length, true);
    out.set(name, at + 3);
    at += 3 + name.length;
    view.setUint32(at, length, true);
    out.set(bytes, at + 4);
    at += 4 + bytes.length;
  }
  view.setUint32(at, crc32(out.subarray(0, at)), true);
  return out;
}

/** decodeCheckpoint(encodeCheckpoint(state)) = state, in arrays of its own. Throws an Error for bytes that encodeCheckpoint never gave. */
export function decodeCheckpoint(bytes: Uint8Array): ServerState {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = bytes.length - 4;
  if (end < headBytes || view.getUint32(0, true) !== magic) throw damaged("it does not begin as one");
  if (view.getUint8(4) !== version) {
    throw damaged(`its format version is ${view.getUint8(4)}; this Tributary reads version ${version}`);
  }
  if (crc32(bytes.subarray(0, end)) !== view.getUint32(end, true)) throw damaged("its checksum is wrong");

  const reader = { view, at: headBytes, end };
  const entries: [string, ServerState[string]][] = [];
  let previous: Uint8Array | undefined;
  for (let left = view.getUint32(5, true); left > 0; left--) {
    const kind = view.getUint8(take(reader, 1));
    const nameLength = view.getUint16(take(reader, 2), true);
    const name = bytes.subarray(take(reader, nameLength), reader.at);
    if (previous && Buffer.compare(previous, name) >= 0) throw damaged("its names are not in order");
    previous = name;
    const length = view.getUint32(take(reader, 4), true);
    entries.push([new TextDecoder("utf-8", { fatal: true }).decode(name), elements(reader, kind, length)]);
  }
  if (reader.at !== end) throw damaged(`${end - reader.at} bytes are left over`);
  const state = Object.fromEntries(entries);
  if (!hasModel(state)) throw damaged("it holds no model");
  return state;
}

interface Reader {
  readonly view: DataView;
  at: number;
  readonly end: number;
}

/** Where the next `count` bytes begin; moves past them. */
function take(reader: Reader, count: number): number {
  const start = reader.at;
  if (start + count > reader.end) throw damaged("it ends too early");
  reader.at += count;
  return start;
}

function elements(reader: Reader, kind: number, length: number): ServerState[string] {
  const { buffer, byteOffset } = reader.view;
  const copy = (count: number) => {
    const start = byteOffset + take(reader, count);
    return buffer.slice(start, start + count) as ArrayBuffer;
  };
  if (kind === kinds.f32) return new Float32Array(copy(4 * length));
  if (kind === kinds.f64) return new Float64Array(copy(8 * length));
  if (kind === kinds.number && length === 1) return new DataView(copy(8)).getFloat64(0, true);
  throw damaged(`it holds an entry of kind ${kind} with ${length} elements`);
}

function elementsOf(name: string, value: ServerState[string]): { kind: number; bytes: Uint8Array; length: number } {
  if (value instanceof Float32Array) return { kind: kinds.f32, bytes: bytesOf(value), length: value.length };
  if (value instanceof Float64Array) return { kind: kinds.f64, bytes: bytesOf(value), length: value.length };
  if (typeof value === "number") return { kind: kinds.number, bytes: bytesOf(Float64Array.of(value)), length: 1 };
  throw new TypeError(`a server's state holds numbers, Float32Array and Float64Array; ${name} is something else`);
}

function bytesOf(array: Float32Array | Float64Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function hasModel(state: Record<string, ServerState[string]>): state is ServerState {
  return state["model"] instanceof Float32Array || state["model"] instanceof Float64Array;
}

function damaged(found: string): Error {
  return new Error(`this is not a server state's checkpoint: ${found}`);
}

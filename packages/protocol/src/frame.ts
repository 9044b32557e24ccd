import { ProtocolError } from "./errors.ts";

/**
 * A frame carries one vector. Little-endian, 24 bytes before the payload:
 *
 *   0  magic "TRIB"      4  wire version (1)   5  element type   6  bit width   7  zero
 *   8  length, u32       12 zero, u32          16 weight, f64    24 payload: length × element
 *
 * The weight is the sender's aggregation weight; frames that are not contributions say 0. docs/protocol.md is normative.
 */
export const frameHeaderBytes = 24;
const magic = 0x42495254; // "TRIB", read as a little-endian u32
const wireVersion = 1;

/** Element types a frame may carry, by the number that stands for each on the wire. */
export const elements = {
  f32: { code: 1, bytes: 4 },
  f64: { code: 2, bytes: 8 },
} as const;
export type Element = keyof typeof elements;
export type Vector = Float32Array | Float64Array;

export interface Frame {
  readonly weight: number;
  readonly values: Vector;
}

/** The element type of a vector. */
export function elementOf(values: Vector): Element {
  return values instanceof Float32Array ? "f32" : "f64";
}

/** Bytes of a frame of `length` elements. */
export function frameBytes(element: Element, length: number): number {
  return frameHeaderBytes + length * elements[element].bytes;
}

/** The frame of a vector. The values are copied. */
export function encodeFrame(frame: Frame): Uint8Array {
  const element = elementOf(frame.values);
  const bytes = new Uint8Array(frameBytes(element, frame.values.length));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, magic, true);
  view.setUint8(4, wireVersion);
  view.setUint8(5, elements[element].code);
  view.setUint8(6, elements[element].bytes * 8);
  view.setUint32(8, frame.values.length, true);
  view.setFloat64(16, frame.weight, true);
  bytes.set(new Uint8Array(frame.values.buffer, frame.values.byteOffset, frame.values.byteLength), frameHeaderBytes);
  return bytes;
}

/**
 * The vector of a frame; `expected` is what the step asked for. The values view `bytes` where its alignment allows.
 * Throws `ProtocolError("bad_update")` naming the field, what was expected and what was found.
 */
export function decodeFrame(bytes: Uint8Array, expected: { element: Element; length: number }): Frame {
  if (bytes.byteLength < frameHeaderBytes) fail("header", `${frameHeaderBytes} bytes`, `${bytes.byteLength}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== magic) fail("magic", "TRIB", "something else");
  if (view.getUint8(4) !== wireVersion) fail("wire version", `${wireVersion}`, `${view.getUint8(4)}`);
  const { code, bytes: size } = elements[expected.element];
  if (view.getUint8(5) !== code) fail("element type", `${expected.element} (${code})`, `${view.getUint8(5)}`);
  if (view.getUint8(6) !== size * 8) fail("bit width", `${size * 8}`, `${view.getUint8(6)}`);
  if (view.getUint8(7) !== 0 || view.getUint32(12, true) !== 0) fail("reserved bytes", "zero", "something else");
  const length = view.getUint32(8, true);
  if (length !== expected.length) fail("length", `${expected.length} elements`, `${length}`);
  const total = frameBytes(expected.element, length);
  if (bytes.byteLength !== total) fail("size", `${total} bytes`, `${bytes.byteLength}`);
  const weight = view.getFloat64(16, true);
  if (!Number.isFinite(weight) || weight < 0) fail("weight", "a finite number ≥ 0", `${weight}`);
  const start = bytes.byteOffset + frameHeaderBytes;
  const payload = start % size === 0 ? bytes.buffer : bytes.slice(frameHeaderBytes).buffer;
  const offset = payload === bytes.buffer ? start : 0;
  const values =
    expected.element === "f32" ? new Float32Array(payload, offset, length) : new Float64Array(payload, offset, length);
  return { weight, values };
}

/** The index of the first value that is NaN or infinite, or −1. */
export function firstNonFinite(values: Vector): number {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return i;
  return -1;
}

function fail(field: string, expected: string, got: string): never {
  throw new ProtocolError("bad_update", `frame ${field}: expected ${expected}, found ${got}`);
}

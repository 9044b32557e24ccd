import type { Captured } from "./recording-proxy.ts";

/** A planted value, and every way in which it could be written into bytes. */
export interface Canary {
  readonly name: string;
  readonly encodings: readonly { readonly how: string; readonly bytes: Uint8Array }[];
}

/** A text, raw in UTF-8 and UTF-16, percent-encoded, in hexadecimal, and in base64 at each of the three alignments. */
export function textCanary(text: string): Canary {
  const utf8 = Buffer.from(text, "utf8");
  const written = [
    { how: "UTF-8", bytes: utf8 },
    { how: "UTF-16", bytes: Buffer.from(text, "utf16le") },
    { how: "percent-encoding", bytes: Buffer.from(encodeURIComponent(text)) },
    ...spelled("UTF-8", utf8),
  ];
  return { name: JSON.stringify(text), encodings: written };
}

/** A number: in decimal, as float32 and float64 in both byte orders, and each of these in hexadecimal and base64. */
export function numberCanary(value: number): Canary {
  const encodings = [float(value, 4, true), float(value, 4, false), float(value, 8, true), float(value, 8, false)];
  const decimals = [`${value}`, `${Math.fround(value)}`].map((text) => Buffer.from(text));
  return {
    name: `${value}`,
    encodings: [
      ...decimals.map((bytes) => ({ how: "decimal", bytes })),
      ...decimals.flatMap((bytes) => spelled("decimal", bytes)),
      ...encodings,
      ...encodings.flatMap(({ how, bytes }) => spelled(how, bytes)),
    ],
  };
}

function float(value: number, size: 4 | 8, littleEndian: boolean): { how: string; bytes: Uint8Array } {
  const view = new DataView(new ArrayBuffer(size));
  if (size === 4) view.setFloat32(0, value, littleEndian);
  else view.setFloat64(0, value, littleEndian);
  return { how: `float${size * 8}, ${littleEndian ? "little" : "big"}-endian`, bytes: new Uint8Array(view.buffer) };
}

function spelled(how: string, bytes: Uint8Array): { how: string; bytes: Uint8Array }[] {
  const hex = Buffer.from(bytes).toString("hex");
  return [
    { how: `${how}, hexadecimal`, bytes: Buffer.from(hex) },
    { how: `${how}, hexadecimal`, bytes: Buffer.from(hex.toUpperCase()) },
    ...([0, 1, 2] as const).flatMap((before) => {
      const text = base64Core(bytes, before);
      const forUrls = text.replaceAll("+", "-").replaceAll("/", "_");
      const at = `${how}, base64 after ${before} bytes`;
      return [text, forUrls].map((spelling) => ({ how: at, bytes: Buffer.from(spelling) }));
    }),
  ];
}

/** The characters of base64 that depend on `bytes` alone when `before` other bytes come first, whatever follows. */
export function base64Core(bytes: Uint8Array, before: 0 | 1 | 2): string {
  const text = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64");
  const first = Math.ceil((before * 8) / 6);
  const last = Math.floor(((before + bytes.byteLength) * 8) / 6);
  return text.slice(first, last);
}

/** Where canaries turn up in what was captured: bodies, frames, paths and headers. Empty when none does. */
export function canariesIn(captured: readonly Captured[], canaries: readonly Canary[]): string[] {
  const sightings = new Set<string>();
  for (const one of captured) {
    const where = one.kind === "frame" ? "a frame" : `${one.method} ${one.path}`;
    const parts =
      one.kind === "frame"
        ? [one.payload]
        : [one.body, Buffer.from(one.path), Buffer.from(JSON.stringify(one.headers))];
    for (const part of parts) {
      const bytes = asBuffer(part);
      for (const { name, encodings } of canaries) {
        for (const { how, bytes: wanted } of encodings) {
          if (bytes.includes(asBuffer(wanted))) sightings.add(`${name} (${how}) in ${where}`);
        }
      }
    }
  }
  return [...sightings];
}

/** The same bytes, not a copy. */
function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

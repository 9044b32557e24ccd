import { utf8ToBytes } from "@noble/hashes/utils.js";
import { ProtocolError } from "@tributary/protocol";

/** Builds a canonical byte string: little-endian integers, strings and byte strings with their length before them. */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Where the next `count` bytes go. */
  #room(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length));
      grown.set(this.#bytes);
      this.#bytes.fill(0);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }

  u8(value: number): this {
    const at = this.#room(1);
    this.#view.setUint8(at, value);
    return this;
  }

  u32(value: number): this {
    const at = this.#room(4);
    this.#view.setUint32(at, value, true);
    return this;
  }

  f64(value: number): this {
    const at = this.#room(8);
    this.#view.setFloat64(at, value, true);
    return this;
  }

  /** Bytes whose number the reader knows. */
  raw(bytes: Uint8Array): this {
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  bytes(bytes: Uint8Array): this {
    return this.u32(bytes.length).raw(bytes);
  }

  text(text: string): this {
    return this.bytes(utf8ToBytes(text));
  }

  /** The bytes written; the writer is not used again. */
  finish(): Uint8Array {
    if (this.#length === this.#bytes.length) return this.#bytes;
    const finished = this.#bytes.slice(0, this.#length);
    // The buffer may have held shares.
    this.#bytes.fill(0);
    return finished;
  }
}

/** Reads what `ByteWriter` wrote; throws `ProtocolError("secure_message")` on anything short, long or out of bounds. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #what: string;
  #at = 0;

  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#what = what;
  }

  #take(count: number): number {
    const left = this.#bytes.length - this.#at;
    if (count > left) malformed(this.#what, `${count} more bytes`, `${left}`);
    this.#at += count;
    return this.#at - count;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  f64(): number {
    return this.#view.getFloat64(this.#take(8), true);
  }

  /** A view of the next `length` bytes: the reader's owner keeps the message as it is. */
  view(length: number): Uint8Array {
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** A copy of the next `length` bytes. */
  raw(length: number): Uint8Array {
    const start = this.#take(length);
    return this.#bytes.slice(start, start + length);
  }

  bytes(limit: number): Uint8Array {
    const length = this.u32();
    if (length > limit) malformed(this.#what, `at most ${limit} bytes in a field`, `${length}`);
    return this.raw(length);
  }

  text(limit: number): string {
    const bytes = this.bytes(limit);
    for (const byte of bytes) if (byte < 32 || byte > 126) malformed(this.#what, "printable ASCII", `byte ${byte}`);
    return String.fromCharCode(...bytes);
  }

  finish(): void {
    const left = this.#bytes.length - this.#at;
    if (left > 0) malformed(this.#what, "nothing after the last field", `${left} bytes`);
  }
}

/** Refuses a message; `expected` and `found` say how to mend it and hold no secret. */
export function malformed(what: string, expected: string, found: string): never {
  throw new ProtocolError("secure_message", `${what}: expected ${expected}, found ${found}`);
}

/** Overwrites secrets that are no longer needed; a copy that the garbage collector made is out of reach. */
export function wipe(...secrets: readonly Uint8Array[]): void {
  for (const secret of secrets) secret.fill(0);
}

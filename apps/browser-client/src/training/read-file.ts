import { textEncoding } from "@tributary/training";
import { words } from "../words.ts";
import { refuse } from "./refuse.ts";

/** Who waits for something to be read: hears of the share that is done, and may give it up. */
export interface Reading {
  readonly tell: (share: number) => void;
  readonly signal: AbortSignal;
}

/** A file's bytes. Throws `bad_data` where it can no longer be read. */
export async function bytesOf(file: File): Promise<Uint8Array> {
  return new Uint8Array(await file.arrayBuffer().catch((cause: Error) => unreadable(file, cause)));
}

/** All of a file's text; `wanted` says what it should be. Throws as `textParts` does. */
export async function textOf(file: File, wanted: string, reading: Reading): Promise<string> {
  const parts: string[] = [];
  for await (const part of textParts(file, wanted, reading)) parts.push(part);
  return parts.join("");
}

/**
 * A file's characters bit by bit, gzipped or not, in UTF-8 or UTF-16, a byte order mark kept; no more of it is read than is
 * taken. Throws `bad_data` where it is no text, or the signal's reason.
 */
export async function* textParts(
  file: File,
  wanted: string,
  reading: Reading,
): AsyncGenerator<string, void, undefined> {
  let decoder: TextDecoder | undefined;
  const decoded = (bytes?: Uint8Array) => {
    try {
      return decoder?.decode(bytes, { stream: bytes !== undefined }) ?? "";
    } catch {
      return refuse(words.files.notUtf8(file.name));
    }
  };
  for await (const bytes of byteParts(file, reading)) {
    if (decoder === undefined) {
      const encoding = textEncoding(bytes);
      if (encoding === "utf-8" && bytes.subarray(0, 1024).includes(0)) refuse(words.files.notText(file.name, wanted));
      decoder = new TextDecoder(encoding, { ignoreBOM: true, fatal: true });
    }
    yield decoded(bytes);
  }
  yield decoded();
}

async function* byteParts(file: File, { tell, signal }: Reading): AsyncGenerator<Uint8Array, void, undefined> {
  const [first, second] = await bytesOf(new File([file.slice(0, 2)], file.name));
  const isPacked = first === 0x1f && second === 0x8b;
  let read = 0;
  const counted = file.stream().pipeThrough(
    new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform(chunk, controller) {
        read += chunk.length;
        controller.enqueue(chunk);
      },
    }),
  );
  const reader = (isPacked ? counted.pipeThrough(new DecompressionStream("gzip")) : counted).getReader();
  try {
    for (;;) {
      signal.throwIfAborted();
      const { done, value } = await reader.read().catch((cause: Error) => {
        // Files that changed or went throw a DOMException, decompression does not.
        if (isPacked && !(cause instanceof DOMException)) refuse(words.files.damagedGzip(file.name));
        return unreadable(file, cause);
      });
      if (done) return;
      tell(read / file.size);
      yield value;
    }
  } finally {
    void reader.cancel().catch(() => undefined);
  }
}

function unreadable(file: File, cause: Error): never {
  return refuse(words.files.unreadable(file.name, cause.message));
}

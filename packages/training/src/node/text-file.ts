import { openSync, read } from "node:fs";
import { promisify } from "node:util";
import type { Dataset } from "@tributary/algorithm";
import { badData } from "../data/bad-data.ts";
import { defaultWindow, outside, placesIn, type TextSchema, vocabularyOf } from "../data/text.ts";
import { reading } from "./files.ts";

const readAt = promisify(read);
const chunkBytes = 1 << 20;
/** Characters between two places that are remembered. */
const blockLength = 4_096;
const [newline, carriageReturn] = [10, 13];
/** The bytes after the first of a character. */
const continues = (byte: number) => (byte & 0xc0) === 0x80;

/**
 * The examples of a text that stays on disk; those that `readText` would give by lines. Memory: one place in the file for
 * each 4,096 characters, and the last two blocks that were read. Throws `ProtocolError("bad_data")`.
 */
export async function textOnDisk(path: string, schema: TextSchema): Promise<{ dataset: Dataset; vocabulary: string }> {
  const { window = defaultWindow, by = "line" } = schema;
  if (by === "role") badData("The text is too large to be divided into roles in memory; divide the file");
  const file = reading(path, () => openSync(path, "r"));
  const blocks: number[] = [];
  const found = new Set<string>();
  let length = 0;
  let size = 0;
  let last = newline;
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const chunk = new Uint8Array(chunkBytes);
  for (;;) {
    const { bytesRead } = await readAt(file, chunk, 0, chunkBytes, size);
    if (bytesRead === 0) break;
    for (let i = 0; i < bytesRead; i++) {
      const byte = chunk[i]!;
      if (continues(byte) || byte === carriageReturn) continue;
      if (length % blockLength === 0) blocks.push(size + i);
      length++;
      last = byte;
    }
    for (const character of decoder.decode(chunk.subarray(0, bytesRead), { stream: true })) found.add(character);
    size += bytesRead;
  }
  found.delete("\r");
  const vocabulary = schema.vocabulary ?? vocabularyOf(found);
  const places = placesIn(vocabulary);
  for (const character of found) if (!places.has(character)) outside(character, vocabulary, "A character of the text");
  const start = places.get("\n")!;

  const kept = new Map<number, Uint16Array>();
  async function block(index: number): Promise<Uint16Array> {
    const known = kept.get(index);
    if (known !== undefined) return known;
    const bytes = new Uint8Array((blocks[index + 1] ?? size) - blocks[index]!);
    const { bytesRead } = await readAt(file, bytes, 0, bytes.length, blocks[index]!);
    if (bytesRead < bytes.length) badData(`${path} has changed since it was opened: it is shorter now`);
    const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes).replaceAll("\r", "");
    const codes = Uint16Array.from(text, (character) => places.get(character) ?? outside(character, vocabulary, path));
    const [oldest] = kept.keys();
    if (kept.size === 2) kept.delete(oldest!);
    kept.set(index, codes);
    return codes;
  }
  const codeAt = async (position: number) => {
    // Before the text, and where its last line has no newline, there is one.
    if (position < 0 || position >= length) return start;
    return (await block(Math.floor(position / blockLength)))[position % blockLength]!;
  };
  const dataset: Dataset = {
    examples: length + (last === newline ? 0 : 1),
    shape: [window],
    classes: places.size,
    target: "class",
    async batch(positions, features, targets) {
      for (let row = 0; row < positions.length; row++) {
        const position = positions[row]!;
        for (let back = window; back >= 1; back--) features[(row + 1) * window - back] = await codeAt(position - back);
        targets[row] = await codeAt(position);
      }
    },
  };
  return { dataset, vocabulary };
}

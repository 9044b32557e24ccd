import { fstatSync, openSync, read } from "node:fs";
import { promisify } from "node:util";
import { badData } from "../data/bad-data.ts";
import { reading } from "./files.ts";

const readAt = promisify(read);
const chunkBytes = 1 << 20;
/** Rows between two places that are remembered: what a random row costs to read, against the memory for places. */
const rowsPerBlock = 16;
const longestRecord = 16 * chunkBytes;
const [newline, quote] = [10, 34];

/**
 * The rows of a text file that stays on disk. Memory: one place in the file for each sixteen rows, and the last sixteen
 * rows that were read. `parse` gives a record's row, or undefined where it is none (blank, a comment, left out); it must
 * answer the same whenever it is asked.
 */
export class RecordFile<Row> {
  readonly #path: string;
  /** Open as long as the process: datasets have no end. */
  readonly #file: number;
  readonly #size: number;
  readonly #parse: (text: string, line: number) => Row | undefined;
  /** Whether a newline between quotes belongs to its record, as in CSV. */
  readonly #quoted: boolean;
  /** Where each block begins, in bytes and in lines. */
  readonly #blocks: { offset: number; line: number }[] = [];
  #last: { block: number; rows: readonly Row[] } | undefined;

  constructor(path: string, options: { quoted: boolean; parse: (text: string, line: number) => Row | undefined }) {
    this.#path = path;
    this.#file = reading(path, () => openSync(path, "r"));
    this.#size = fstatSync(this.#file).size;
    this.#parse = options.parse;
    this.#quoted = options.quoted;
  }

  /** Reads the file from its beginning, once, before any single row. */
  async scan(see: (row: Row, line: number) => void): Promise<void> {
    let rows = 0;
    for await (const { text, line, offset, nextLine } of this.#records({ offset: 0, line: 1 }, this.#size)) {
      const row = this.#parse(text, nextLine - 1);
      if (row === undefined) continue;
      if (rows % rowsPerBlock === 0) this.#blocks.push({ offset, line });
      rows++;
      see(row, nextLine - 1);
    }
  }

  async row(position: number): Promise<Row> {
    const block = Math.floor(position / rowsPerBlock);
    if (this.#last?.block !== block) this.#last = { block, rows: await this.#readBlock(block) };
    const row = this.#last.rows[position % rowsPerBlock];
    return row ?? badData(`${this.#path} has changed since it was opened: row ${position + 1} is not there any more`);
  }

  async #readBlock(block: number): Promise<Row[]> {
    const end = this.#blocks[block + 1]?.offset ?? this.#size;
    const rows: Row[] = [];
    for await (const { text, nextLine } of this.#records(this.#blocks[block]!, end)) {
      const row = this.#parse(text, nextLine - 1);
      if (row !== undefined) rows.push(row);
    }
    return rows;
  }

  /** Each record between two places, where it begins, and the line after it. */
  async *#records(from: { offset: number; line: number }, end: number) {
    const decoder = new TextDecoder();
    let bytes = new Uint8Array(0);
    let { offset, line } = from;
    let inQuotes = false;
    let lines = 0;
    let seen = 0;
    for (let at = from.offset; at < end; ) {
      const chunk = new Uint8Array(Math.min(chunkBytes, end - at));
      const { bytesRead } = await readAt(this.#file, chunk, 0, chunk.length, at);
      if (bytesRead === 0) badData(`${this.#path} has changed since it was opened: it ends after ${at} bytes`);
      at += bytesRead;
      const joined = new Uint8Array(bytes.length + bytesRead);
      joined.set(bytes);
      joined.set(chunk.subarray(0, bytesRead), bytes.length);
      let begin = 0;
      for (let i = seen; i < joined.length; i++) {
        const byte = joined[i];
        if (byte === quote && this.#quoted) inQuotes = !inQuotes;
        if (byte !== newline) continue;
        lines++;
        if (inQuotes) continue;
        yield { text: decoder.decode(joined.subarray(begin, i)), offset, line, nextLine: line + lines };
        offset += i + 1 - begin;
        begin = i + 1;
        line += lines;
        lines = 0;
      }
      bytes = joined.subarray(begin);
      if (bytes.length > longestRecord) {
        badData(
          `Line ${line} begins a record of more than ${longestRecord} bytes; ${inQuotes ? "a quote stays open" : "no line ends"}`,
        );
      }
      seen = bytes.length;
    }
    if (bytes.length > 0) yield { text: decoder.decode(bytes), offset, line, nextLine: line + lines + 1 };
  }
}

import { badData } from "./bad-data.ts";
import type { Line } from "./csv-schema.ts";

/** What stands between a table's values. */
export type Separator = "," | ";" | "\t";

/** A record and the character that comes after it. */
export interface CsvRecord extends Line {
  readonly end: number;
}

const [quote, mark] = ['"', "\uFEFF"];

/** A table's separator by its first line: a comma where there is one outside quotes, else a semicolon or a tab. */
export function separatorOf(text: string): Separator {
  const head = firstLine(text).replace(/"(?:[^"]|"")*"?/g, "");
  return ([",", ";", "\t"] as const).find((separator) => head.includes(separator)) ?? ",";
}

/** The first line that is not empty, also where a value goes over several. */
function firstLine(text: string): string {
  const head = /^\uFEFF?[\r\n]*((?:"(?:[^"]|"")*(?:"|$)|[^"\r\n])*)/.exec(text);
  return head?.[1] ?? "";
}

/**
 * The records of a text in CSV form (RFC 4180; lines end in LF, CRLF or CR), one after the other, without blank lines and
 * a byte order mark. `line` is the number of the first line. Throws `ProtocolError("bad_data")` that names the line.
 */
export function* csvRecords(
  text: string,
  options: { separator?: Separator; line?: number } = {},
): Generator<CsvRecord, void, undefined> {
  const { separator = separatorOf(text) } = options;
  const newline = text.includes("\n") ? "\n" : "\r";
  let line = options.line ?? 1;
  let at = text.startsWith(mark) ? 1 : 0;
  for (; at < text.length; line++) {
    let end = endOf(text, newline, at);
    const written = withoutReturn(text, at, end);
    let record: string[] = [];
    if (written.includes(quote)) {
      const found = quotedRecord(text, { at, line, separator, newline });
      ({ record, end, line } = found);
    } else if (written !== "") record = written.split(separator);
    at = end + 1;
    if (record.length > 0) yield { record, line, end: Math.min(at, text.length) };
  }
}

/** A record some of whose values are quoted, the line that it ends in, and where. */
function quotedRecord(
  text: string,
  from: { at: number; line: number; separator: Separator; newline: string },
): { record: string[]; line: number; end: number } {
  const { separator, newline } = from;
  let { at, line } = from;
  let end = endOf(text, newline, at);
  const record: string[] = [];
  for (;;) {
    let value: string;
    if (text[at] === quote) {
      const close = closingQuote(text, at + 1);
      if (close < 0) malformed(`the value that opens with a quote on line ${line} has no closing quote`);
      value = text.slice(at + 1, close);
      const opened = line;
      line += linesIn(value, newline);
      value = value.replaceAll('""', quote);
      at = close + 1;
      end = endOf(text, newline, at);
      const rest = withoutReturn(text, at, end);
      if (rest !== "" && !rest.startsWith(separator)) {
        malformed(
          `the value that opens with a quote on line ${opened} closes on line ${line}, and ${JSON.stringify(rest[0])} ` +
            `follows; a quote inside a value is written twice`,
        );
      }
    } else {
      const next = text.indexOf(separator, at);
      const until = next < 0 || next > end ? end : next;
      value = until === end ? withoutReturn(text, at, end) : text.slice(at, until);
      if (value.includes(quote)) {
        malformed(
          `line ${line} has a quote inside the value ${value.trim().slice(0, 40)}; a value with quotes is put between ` +
            `quotes, and those inside it are written twice`,
        );
      }
      at = until;
    }
    record.push(value);
    if (text[at] !== separator) return { record, line, end };
    at++;
  }
}

/** Where the quote stands that ends a value; negative where none does. */
function closingQuote(text: string, from: number): number {
  let at = text.indexOf(quote, from);
  while (at >= 0 && text[at + 1] === quote) at = text.indexOf(quote, at + 2);
  return at;
}

function endOf(text: string, newline: string, from: number): number {
  const end = text.indexOf(newline, from);
  return end < 0 ? text.length : end;
}

const withoutReturn = (text: string, from: number, end: number) =>
  text.slice(from, end > from && text[end - 1] === "\r" ? end - 1 : end);

function linesIn(value: string, newline: string): number {
  let lines = 0;
  for (let at = value.indexOf(newline); at >= 0; at = value.indexOf(newline, at + 1)) lines++;
  return lines;
}

function malformed(detail: string): never {
  return badData(`The table is not well-formed CSV: ${detail}`);
}

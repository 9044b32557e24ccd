import type { Dataset } from "@tributary/algorithm";
import { badData } from "./bad-data.ts";
import { inOneGo, type Steps, visitInSteps } from "./in-steps.ts";

/** How a text becomes examples. */
export interface TextSchema {
  /** How many characters the next one is to be told from; default 80. */
  readonly window?: number;
  /**
   * `line` (the default): the text as it runs, its lines the groups of the partition `natural`. `role`: a play, in which a
   * block between blank lines begins with `NAME:`; each role with two lines or more is a group and a text of its own.
   */
  readonly by?: "line" | "role";
  /** The characters in the order of their classes; default: those that occur, in the order of their code points. */
  readonly vocabulary?: string;
}

export interface TextTable {
  /** Features: the classes of the characters before; the target: the class of the character that comes. */
  readonly dataset: Dataset;
  /** Each example's character's class. */
  readonly labels: Uint16Array;
  /** Each example's line or role, numbered as they come. */
  readonly groups: Int32Array;
  readonly vocabulary: string;
  /** 1 for an example in the last fifth of its group's lines (of all lines, where these are the groups), at least one. */
  readonly isLate: Uint8Array;
}

const newline = "\n";
export const defaultWindow = 80;

/**
 * Every character of a text is one example: to be told from the `window` characters before it. A newline follows each line,
 * also the last; before the first character of a text, or of a role, there are newlines. Throws `ProtocolError("bad_data")`
 * that names line and column of a character outside a given vocabulary.
 */
export function readText(text: string, schema: TextSchema = {}): TextTable {
  return inOneGo(readTextInSteps(text, schema));
}

/** `readText`, step by step. */
export function* readTextInSteps(text: string, schema: TextSchema = {}): Steps<TextTable> {
  const { window = defaultWindow, by = "line" } = schema;
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  const all = lines.map((content, index) => ({ content, line: index + 1 }));
  const streams = by === "line" ? [all] : rolesIn(all);
  if (all.length === 0) badData("The text is empty");
  if (streams.length === 0) badData("No block begins with NAME: and has two lines");
  // Once for what there is, and once for the classes of it.
  const eachLine = (pass: 1 | 2, visit: (line: PlacedLine) => void) =>
    visitInSteps(placed(streams), { pass, length: text.length + 1 }, visit);
  const found = new Set<string>();
  let length = 0;
  yield* eachLine(1, ({ content }) => {
    for (const character of content) {
      if (schema.vocabulary === undefined) found.add(character);
      length++;
    }
    length++;
  });
  const vocabulary = schema.vocabulary ?? vocabularyOf(found);
  const places = placesIn(vocabulary);
  const codes = new Uint16Array(length);
  const groups = new Int32Array(length);
  const isLate = new Uint8Array(length);
  const starts: number[] = [];
  let at = 0;
  yield* eachLine(2, ({ content, line, stream, index }) => {
    if (index === 0) starts.push(at);
    const lines = streams[stream]!.length;
    const late = lines - Math.max(1, Math.ceil(lines / 5));
    let column = 0;
    for (const character of `${content}${newline}`) {
      column++;
      codes[at] = places.get(character) ?? outside(character, vocabulary, `Line ${line}, column ${column}`);
      groups[at] = by === "line" ? index : stream;
      isLate[at] = +(index >= late);
      at++;
    }
  });
  const dataset = windowedText({ codes, starts, window, start: places.get(newline)!, classes: places.size });
  return { dataset, labels: codes, groups, vocabulary, isLate };
}

/** Windows of characters in memory; `starts` are the first characters of texts that do not know each other. */
function windowedText(text: {
  codes: Uint16Array;
  starts: readonly number[];
  window: number;
  start: number;
  classes: number;
}): Dataset {
  const { codes, window, start, classes } = text;
  const starts = Uint32Array.from(text.starts);
  return {
    examples: codes.length,
    shape: [window],
    classes,
    target: "class",
    batch(positions, features, targets) {
      positions.forEach((position, row) => {
        const first = starts[lastAtMost(starts, position)]!;
        for (let back = 1; back <= window; back++) {
          features[(row + 1) * window - back] = position - back >= first ? codes[position - back]! : start;
        }
        targets[row] = codes[position]!;
      });
    },
  };
}

function lastAtMost(ascending: Uint32Array, value: number): number {
  let [low, high] = [0, ascending.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (ascending[middle]! <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}

interface NumberedLine {
  readonly content: string;
  readonly line: number;
}

/** A line, its place in its stream, and how many characters it and all lines before it have, newlines included. */
interface PlacedLine extends NumberedLine {
  readonly stream: number;
  readonly index: number;
  readonly end: number;
}

function* placed(streams: readonly (readonly NumberedLine[])[]): Generator<PlacedLine, void, undefined> {
  let end = 0;
  for (const [stream, lines] of streams.entries()) {
    for (const [index, { content, line }] of lines.entries()) {
      end += content.length + 1;
      yield { content, line, stream, index, end };
    }
  }
}

/** The lines of each role, in the order in which roles first speak; roles with one line are left out. */
function rolesIn(lines: readonly NumberedLine[]): NumberedLine[][] {
  const roles = new Map<string, NumberedLine[]>();
  let speaker: string | undefined;
  // Blocks lie between pairs of newlines: after two blank lines one begins with an empty line, not with a heading.
  let begins = true;
  for (const numbered of lines) {
    const { content } = numbered;
    if (content === "") speaker = undefined;
    else if (begins && content.endsWith(":")) speaker = content;
    else if (speaker !== undefined) {
      const own = roles.get(speaker) ?? [];
      own.push(numbered);
      roles.set(speaker, own);
    }
    begins = content === "" && !begins;
  }
  return [...roles.values()].filter((own) => own.length >= 2);
}

/** These characters and the newline, in the order of their code points. */
export function vocabularyOf(characters: Iterable<string>): string {
  return [...new Set([newline, ...characters])].sort((a, b) => a.codePointAt(0)! - b.codePointAt(0)!).join("");
}

/** The class of each character of a vocabulary. Throws `ProtocolError("bad_data")` for one without a newline. */
export function placesIn(vocabulary: string): ReadonlyMap<string, number> {
  const places = new Map([...vocabulary].map((character, place) => [character, place]));
  if (!places.has(newline)) badData("The vocabulary has no newline; it begins every text");
  return places;
}

/** Refuses a character. */
export function outside(character: string, vocabulary: string, where: string): never {
  return badData(
    `${where} is ${JSON.stringify(character)}, which is not in the vocabulary of ${[...vocabulary].length}`,
  );
}

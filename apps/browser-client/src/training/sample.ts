import { csvRecords } from "@tributary/training";
import type { DataChoice } from "./messages.ts";

/** The beginning of a file as it stands there: cells by row. `heads`: each column's name, and what it is used for. */
export interface Sample {
  readonly heads: readonly { readonly name: string; readonly use: ColumnUse }[];
  readonly rows: readonly (readonly string[])[];
}

type ColumnUse = "number" | "category" | "ignore" | "target";

const mostRows = 5;
/** As much of a line as could be seen. */
const mostCharacters = 120;

/** What is shown of `text`, which was read as `choice` says. */
export function sampleOf(choice: DataChoice, text: string): Sample {
  switch (choice.kind) {
    case "csv": {
      const { target, ignore = [], categorical = [] } = choice.schema;
      const lines = firstRecords(text, mostRows + 1);
      const isNamed = choice.schema.header !== false;
      const names = isNamed ? (lines[0] ?? []) : (lines[0] ?? []).map((_, index) => `${index + 1}`);
      const use = (name: string): ColumnUse =>
        name === target
          ? "target"
          : name === "" || ignore.includes(name)
            ? "ignore"
            : categorical.includes(name)
              ? "category"
              : "number";
      const heads = names.map((name) => ({ name, use: use(name) }));
      return { heads, rows: isNamed ? lines.slice(1) : lines.slice(0, mostRows) };
    }
    case "ratings":
      return { heads: [], rows: firstRecords(text, mostRows).map((record) => record.slice(0, 3)) };
    case "text":
    case "libsvm":
      return { heads: [], rows: linesOf(text) };
    case "digits":
    case "mnist":
    case "images":
      return { heads: [], rows: [] };
  }
}

function firstRecords(text: string, most: number): (readonly string[])[] {
  const found: (readonly string[])[] = [];
  for (const { record } of csvRecords(text)) {
    if (found.push(record) === most) break;
  }
  return found;
}

/** The first lines that are not empty. */
function linesOf(text: string): string[][] {
  const found: string[][] = [];
  for (let at = 0; at < text.length && found.length < mostRows; ) {
    const end = text.indexOf("\n", at);
    const line = text.slice(at, Math.min(end < 0 ? text.length : end, at + mostCharacters)).trimEnd();
    if (line !== "") found.push([line]);
    if (end < 0) break;
    at = end + 1;
  }
  return found;
}

import type { Dataset, SparseRows } from "@tributary/algorithm";
import { sizeOf } from "../models/weights.ts";
import { badData } from "./bad-data.ts";
import { inOneGo, type Steps, visitInSteps } from "./in-steps.ts";

/** What a LIBSVM file does not say of itself. */
export interface LibsvmSchema {
  /** How many features rows have; default: as many as the largest index. Devices must agree on it. */
  readonly features?: number;
  /** Default: classes where all labels are whole numbers, else numbers to predict. */
  readonly targetKind?: "class" | "number";
  /** The labels in the order of their classes; default: those that occur, ascending, and both of −1 and 1 if either is all. */
  readonly classes?: readonly string[];
}

/** One example: its label, and the columns (from 0, ascending) of its values. */
export interface LibsvmRow {
  readonly label: number;
  readonly columns: readonly number[];
  readonly values: readonly number[];
}

/**
 * Reads one line, `label index:value …` with indices from 1; undefined for one that is blank or a comment. Throws
 * `ProtocolError("bad_data")` that names line and column (from 1, in characters).
 */
export function readLibsvmLine(text: string, line: number): LibsvmRow | undefined {
  const written = text.split("#", 1)[0]!;
  const parts = [...written.matchAll(/\S+/g)];
  const [head, ...pairs] = parts;
  if (head === undefined) return undefined;
  const label = Number(head[0]);
  if (!Number.isFinite(label))
    badData(`Line ${line}, column ${head.index + 1}: the label "${head[0]}" is not a number`);
  const columns: number[] = [];
  const values: number[] = [];
  for (const { 0: pair, index: at } of pairs) {
    const colon = pair.indexOf(":");
    const [name, value] = [pair.slice(0, Math.max(0, colon)), Number(pair.slice(colon + 1))];
    if (name === "qid") continue;
    const index = Number(name);
    const where = `Line ${line}, column ${at + 1}: "${pair}"`;
    if (
      !Number.isSafeInteger(index) ||
      colon < 1 ||
      colon === pair.length - 1 ||
      !Number.isFinite(Math.fround(value))
    ) {
      badData(`${where} is not index:value`);
    }
    if (index < 1) badData(`${where} has the index ${index}; indices begin with 1`);
    if (columns.length > 0 && index - 1 <= columns.at(-1)!) {
      badData(`${where} comes after the index ${columns.at(-1)! + 1}; indices ascend`);
    }
    columns.push(index - 1);
    values.push(value);
  }
  return { label, columns, values };
}

/** One pass over a file's rows: what it takes to know their width and classes. */
export class LibsvmScan {
  rows = 0;
  /** Values in all rows. */
  values = 0;
  readonly #schema: LibsvmSchema;
  readonly #labels = new Set<number>();
  #width = 0;

  constructor(schema: LibsvmSchema) {
    this.#schema = schema;
  }

  see({ label, columns }: LibsvmRow, line: number): void {
    const { features, classes } = this.#schema;
    const last = columns.at(-1) ?? -1;
    if (features !== undefined && last >= features) {
      badData(`Line ${line} has the index ${last + 1}; rows of ${features} features were declared`);
    }
    if (classes !== undefined && !classes.some((name) => Number(name) === label)) {
      badData(`Line ${line} has the label ${label}; the classes are ${classes.join(", ")}`);
    }
    // A number to predict has too many values to keep, and they are of no use.
    if (this.#labels.size <= mostClasses) this.#labels.add(label);
    this.#width = Math.max(this.#width, last + 1);
    this.values += columns.length;
    this.rows++;
  }

  /** After the last row. `classes` is empty where the target is a number. */
  result(): { width: number; classes: readonly number[] } {
    const { features, targetKind, classes } = this.#schema;
    if (this.rows === 0) badData("No line has an example; lines of the form label index:value are wanted");
    const width = features ?? this.#width;
    if (width === 0) badData("No line has an index:value, so that there are no features");
    const labels = [...this.#labels].sort((a, b) => a - b);
    const numeric = targetKind ?? (classes === undefined && !labels.every(Number.isInteger) ? "number" : "class");
    if (numeric === "number") return { width, classes: [] };
    if (classes !== undefined) return { width, classes: classes.map(Number) };
    if (labels.every((label) => Math.abs(label) === 1)) return { width, classes: [-1, 1] };
    if (labels.length < 2) badData(`All labels are ${labels[0]}; declare the classes with ?classes=A,B`);
    if (labels.length > mostClasses) {
      badData(
        `There are more than ${mostClasses} different labels; if they are numbers to predict, say targetKind=number`,
      );
    }
    return { width, classes: labels };
  }
}

const mostClasses = 100_000;

/** A LIBSVM file's contents. */
export interface LibsvmTable {
  readonly dataset: Dataset;
  /** Each row's class index; undefined where the target is a number. */
  readonly labels: Int32Array | undefined;
  /** The labels in the order of their classes; empty where the target is a number. */
  readonly classes: readonly number[];
}

/** Reads a file in LIBSVM's form. Throws `ProtocolError("bad_data")` that names line and column. */
export function readLibsvm(text: string, schema: LibsvmSchema = {}): LibsvmTable {
  return inOneGo(readLibsvmInSteps(text, schema));
}

/** `readLibsvm`, step by step. */
export function* readLibsvmInSteps(text: string, schema: LibsvmSchema = {}): Steps<LibsvmTable> {
  const lines = text.split("\n");
  const scan = new LibsvmScan(schema);
  // Twice through the text, for its rows take far more memory than it does.
  const eachRow = (pass: 1 | 2, visit: (row: LibsvmRow, line: number) => void) =>
    visitInSteps(numbered(lines), { pass, length: text.length + 1 }, ({ written, line }) => {
      const row = readLibsvmLine(written, line);
      if (row !== undefined) visit(row, line);
    });
  yield* eachRow(1, (row, line) => scan.see(row, line));
  const { width, classes } = scan.result();
  const starts = new Uint32Array(scan.rows + 1);
  const columns = new Uint32Array(scan.values);
  const values = new Float64Array(scan.values);
  const targets = classes.length > 0 ? new Int32Array(scan.rows) : new Float64Array(scan.rows);
  const places = new Map(classes.map((label, place) => [label, place]));
  let row = 0;
  yield* eachRow(2, (read) => {
    const from = starts[row]!;
    columns.set(read.columns, from);
    values.set(read.values, from);
    targets[row] = places.get(read.label) ?? read.label;
    row++;
    starts[row] = from + read.columns.length;
  });
  return {
    dataset: sparseDataset({ rows: { starts, columns, values }, targets, shape: [width], classes: classes.length }),
    labels: targets instanceof Int32Array ? targets : undefined,
    classes,
  };
}

/** Lines from 1, and where in their text each ends with its newline. */
function* numbered(lines: readonly string[]): Generator<{ written: string; line: number; end: number }> {
  let end = 0;
  for (const [index, written] of lines.entries()) {
    end += written.length + 1;
    yield { written, line: index + 1, end };
  }
}

/** A dataset of sparse rows in memory; `targets` are class indices or numbers to predict. All arrays are kept. */
function sparseDataset(input: {
  rows: SparseRows;
  targets: Int32Array | Float64Array;
  shape: readonly number[];
  classes: number;
}): Dataset {
  const { rows, targets, shape, classes } = input;
  const { starts, columns, values } = rows;
  const width = sizeOf(shape);
  return {
    examples: targets.length,
    shape,
    classes,
    target: targets instanceof Int32Array ? "class" : "number",
    sparse: rows,
    batch(positions, features, intoTargets) {
      features.fill(0, 0, positions.length * width);
      positions.forEach((position, i) => {
        for (let at = starts[position]!; at < starts[position + 1]!; at++) {
          features[i * width + columns[at]!] = values[at]!;
        }
        intoTargets[i] = targets[position]!;
      });
    },
  };
}

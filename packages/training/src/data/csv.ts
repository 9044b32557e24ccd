import type { Dataset } from "@tributary/algorithm";
import { ProtocolError } from "@tributary/protocol";
// The browser build brings its own Buffer, so that the same code reads files in pages and in Node.
import { CsvError, parse } from "csv-parse/browser/esm/sync";
import { denseDataset } from "./dense-dataset.ts";

/** What the columns of a table mean. Columns that it does not name are numbers. */
export interface CsvSchema {
  /** The column to predict. */
  readonly target: string;
  readonly ignore?: readonly string[];
  /** Columns of words: one feature, 0 or 1, for each value that occurs. */
  readonly categorical?: readonly string[];
  /** A categorical column's values in the order of their features, where devices may not all hold every value. */
  readonly categories?: Readonly<Record<string, readonly string[]>>;
  /** The target's values in the order of their classes. Devices that may not all hold every class must agree on it. */
  readonly classes?: readonly string[];
}

export interface Table {
  readonly dataset: Dataset;
  readonly labels: Int32Array;
  /** The features' names in their order: a numeric column's own, `column=value` for a categorical one's. */
  readonly features: readonly string[];
  /** The target's values in the order of their classes. */
  readonly classes: readonly string[];
}

interface Line {
  readonly record: readonly string[];
  readonly line: number;
}

/**
 * Reads a table with a header line: RFC 4180, also with a byte order mark or a first column of row names without a
 * header. Throws `ProtocolError("bad_data")` that names line and column.
 */
export function readCsv(text: string, schema: CsvSchema): Table {
  const [head, ...rows] = records(text);
  if (head === undefined || rows.length === 0) refuse("The table needs a header line and at least one row");
  const header = head.record;
  checkHeader(header, schema);
  const target = header.indexOf(schema.target);
  const columns = header.flatMap((name, index) => {
    const rowNames = index === 0 && name === "";
    return rowNames || index === target || schema.ignore?.includes(name) ? [] : [{ name, index }];
  });
  for (const { record, line } of rows) {
    for (const { name, index } of [...columns, { name: schema.target, index: target }]) {
      if (isMissing(record[index]!)) {
        refuse(`Line ${line}, column "${name}" has no value; fill it in, or leave the row or the column out`);
      }
    }
  }
  const encoded = columns.map((column) => encode(column, rows, schema));
  const features = encoded.flatMap(({ names }) => names);
  if (features.length === 0) refuse("No feature columns are left beside the target");
  const values = new Float32Array(rows.length * features.length);
  let offset = 0;
  for (const { names, write } of encoded) {
    rows.forEach((row, i) => {
      write(row, values.subarray(i * features.length + offset, i * features.length + offset + names.length));
    });
    offset += names.length;
  }
  const classes = schema.classes ?? sortedValues(rows.map(({ record }) => record[target]!.trim()));
  if (classes.length < 2) refuse(`The target "${schema.target}" has one value only, "${classes[0]}"; two are needed`);
  const labels = Int32Array.from(rows, ({ record, line }) => {
    const label = classes.indexOf(record[target]!.trim());
    if (label >= 0) return label;
    return refuse(
      `Line ${line}, column "${schema.target}" is "${record[target]}"; the classes are ${classes.join(", ")}`,
    );
  });
  const dataset = denseDataset({ features: values, labels, shape: [features.length], classes: classes.length });
  return { dataset, labels, features, classes };
}

/** The names in a table's header line. Throws `ProtocolError("bad_data")` where there is none. */
export function csvColumns(text: string): readonly string[] {
  const [head] = records(text, { to: 1 });
  return head === undefined ? refuse("The table needs a header line and at least one row") : head.record;
}

function records(text: string, limit: { to?: number } = {}): Line[] {
  try {
    const parsed = parse(text, { bom: true, info: true, skip_empty_lines: true, ...limit }) as unknown as {
      record: string[];
      info: { lines: number };
    }[];
    return parsed.map(({ record, info }) => ({ record, line: info.lines }));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new ProtocolError("bad_data", `The table is not well-formed CSV: ${error.message}.`, { cause: error });
  }
}

function checkHeader(header: readonly string[], schema: CsvSchema): void {
  const twice = header.find((name, index) => header.indexOf(name) !== index);
  if (twice !== undefined) refuse(`Line 1 names the column "${twice}" twice`);
  const asked = {
    target: [schema.target],
    ignore: schema.ignore ?? [],
    categorical: schema.categorical ?? [],
    categories: Object.keys(schema.categories ?? {}),
  };
  for (const [role, names] of Object.entries(asked)) {
    for (const name of names) {
      if (header.includes(name)) continue;
      refuse(`There is no column "${name}" (${role}); line 1 names ${header.filter(Boolean).join(", ")}`);
    }
  }
}

interface Encoded {
  readonly names: readonly string[];
  readonly write: (row: Line, into: Float32Array) => void;
}

function encode(column: { name: string; index: number }, rows: readonly Line[], schema: CsvSchema): Encoded {
  const { name, index } = column;
  if (isCategorical(name, schema)) {
    const values = schema.categories?.[name] ?? sortedValues(rows.map(({ record }) => record[index]!.trim()));
    const places = new Map(values.map((value, place) => [value, place]));
    return {
      names: values.map((value) => `${name}=${value}`),
      write: ({ record, line }, into) => {
        const place = places.get(record[index]!.trim());
        if (place === undefined) {
          refuse(`Line ${line}, column "${name}" is "${record[index]}"; its categories are ${values.join(", ")}`);
        }
        into[place] = 1;
      },
    };
  }
  return {
    names: [name],
    write: ({ record, line }, into) => {
      const value = Number(record[index]);
      if (!Number.isFinite(Math.fround(value))) {
        refuse(
          `Line ${line}, column "${name}" is "${record[index]}", not a number; name the column among the categorical ` +
            `or the ignored ones if it is not meant to be one`,
        );
      }
      into[0] = value;
    },
  };
}

const isCategorical = (name: string, schema: CsvSchema) =>
  schema.categorical?.includes(name) || Object.hasOwn(schema.categories ?? {}, name);

/** The values that occur: in the order of their numbers if all are numbers, else of their code units. */
function sortedValues(values: readonly string[]): string[] {
  const distinct = [...new Set(values)];
  const numeric = distinct.every((value) => Number.isFinite(Number(value)));
  return numeric ? distinct.sort((a, b) => Number(a) - Number(b)) : distinct.sort();
}

const isMissing = (value: string) => ["", "NA", "N/A", "NaN", "nan", "null", "?"].includes(value.trim());

function refuse(detail: string): never {
  throw new ProtocolError("bad_data", `${detail}.`);
}

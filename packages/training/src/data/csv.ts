import type { Dataset } from "@tributary/algorithm";
// The browser build brings its own Buffer, so that the same code reads files in pages and in Node.
import { CsvError, parse } from "csv-parse/browser/esm/sync";
import { badData } from "./bad-data.ts";
import type { CsvSchema, Line } from "./csv-schema.ts";
import { denseDataset } from "./dense-dataset.ts";
import { TableScan } from "./table-scan.ts";

export interface Table {
  readonly dataset: Dataset;
  /** Each row's class index; undefined where the target is a number, or nothing. */
  readonly labels: Int32Array | undefined;
  /** The index of each row's group in the order in which groups occur; undefined where no column says. */
  readonly groups: Int32Array | undefined;
  /** The features' names in their order: a numeric column's own, `column=value` for a categorical one's. */
  readonly features: readonly string[];
  /** The target's values in the order of their classes; empty where it is no class. */
  readonly classes: readonly string[];
}

/**
 * Reads a table: RFC 4180, also with a byte order mark or a first column of row names without a header. Throws
 * `ProtocolError("bad_data")` that names line and column.
 */
export function readCsv(text: string, schema: CsvSchema): Table {
  const all = csvRecords(text);
  const [head, ...rest] = all;
  if (head === undefined) badData("The table needs a header line and at least one row");
  const named = schema.header !== false;
  const scan = new TableScan(named ? head.record : numbered(head.record), schema);
  const rows = (named ? rest : all).filter((row) => scan.keeps(row));
  for (const row of rows) scan.see(row);
  const encoding = scan.encoding();
  const { features, classes } = encoding;
  const width = features.length;
  const values = new Float64Array(rows.length * width);
  rows.forEach((row, i) => {
    encoding.write(row, values.subarray(i * width, (i + 1) * width));
  });
  const labels = classes.length > 0 ? Int32Array.from(rows, encoding.target) : undefined;
  const numbers = schema.targetKind === "number" ? Float64Array.from(rows, encoding.target) : undefined;
  const dataset = denseDataset({
    features: values,
    shape: [width],
    ...(labels === undefined ? {} : { labels, classes: classes.length }),
    ...(numbers === undefined ? {} : { numbers }),
  });
  const groups = schema.group === undefined ? undefined : Int32Array.from(rows, (row) => scan.placesOf(row).group);
  return { dataset, labels, groups, features, classes };
}

/** The names in a table's header line. Throws `ProtocolError("bad_data")` where there is none. */
export function csvColumns(text: string): readonly string[] {
  const [head] = csvRecords(text, { to: 1 });
  return head === undefined ? badData("The table needs a header line and at least one row") : head.record;
}

/** The names of columns that no header names. */
export const numbered = (record: readonly string[]) => record.map((_, index) => `${index + 1}`);

/** The records of a text in CSV form. Throws `ProtocolError("bad_data")` where it is not well-formed. */
export function csvRecords(text: string, limit: { to?: number } = {}): Line[] {
  const { to } = limit;
  try {
    const options = { bom: true, info: true, skip_empty_lines: true, ...(to === undefined ? {} : { to }) } as const;
    const parsed = parse(text, options) as unknown as { record: string[]; info: { lines: number } }[];
    return parsed.map(({ record, info }) => ({ record, line: info.lines }));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    return badData(`The table is not well-formed CSV: ${error.message}`, error);
  }
}

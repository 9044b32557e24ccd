import type { Dataset } from "@tributary/algorithm";
import { badData } from "./bad-data.ts";
import { csvRecords, separatorOf } from "./csv-records.ts";
import type { CsvSchema, Line } from "./csv-schema.ts";
import { denseDataset } from "./dense-dataset.ts";
import { inOneGo, type Steps, visitInSteps } from "./in-steps.ts";
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
 * Reads a table: RFC 4180, also with semicolons or tabs in place of commas and with a byte order mark. Columns without a
 * name are no features. Throws `ProtocolError("bad_data")` that names line and column.
 */
export function readCsv(text: string, schema: CsvSchema): Table {
  return inOneGo(readCsvInSteps(text, schema));
}

/** `readCsv`, step by step. */
export function* readCsvInSteps(text: string, schema: CsvSchema): Steps<Table> {
  const separator = separatorOf(text);
  const named = schema.header !== false;
  const head = csvColumns(text);
  const scan = new TableScan(named ? head : numbered(head), schema);
  // Twice through the text, for its records take far more memory than it does.
  const eachRow = (pass: 1 | 2, visit: (row: Line) => void): Steps<void> => {
    let isHead = named;
    return visitInSteps(csvRecords(text, { separator }), { pass, length: text.length }, (row) => {
      if (!isHead && scan.keeps(row)) visit(row);
      isHead = false;
    });
  };
  yield* eachRow(1, (row) => scan.see(row));
  const encoding = scan.encoding();
  const { features, classes } = encoding;
  const width = features.length;
  const values = new Float64Array(scan.rows * width);
  const labels = classes.length > 0 ? new Int32Array(scan.rows) : undefined;
  const numbers = schema.targetKind === "number" ? new Float64Array(scan.rows) : undefined;
  const groups = schema.group === undefined ? undefined : new Int32Array(scan.rows);
  const target = labels ?? numbers;
  let i = 0;
  yield* eachRow(2, (row) => {
    encoding.write(row, values.subarray(i * width, (i + 1) * width));
    if (target !== undefined) target[i] = encoding.target(row);
    if (groups !== undefined) groups[i] = scan.placesOf(row).group;
    i++;
  });
  const dataset = denseDataset({
    features: values,
    shape: [width],
    ...(labels === undefined ? {} : { labels, classes: classes.length }),
    ...(numbers === undefined ? {} : { numbers }),
  });
  return { dataset, labels, groups, features, classes };
}

/** The names in a table's header line. Throws `ProtocolError("bad_data")` where there is none. */
export function csvColumns(text: string): readonly string[] {
  for (const { record } of csvRecords(text)) return record;
  return badData("The table needs a header line and at least one row");
}

/** The names of columns that no header names. */
export const numbered = (record: readonly string[]) => record.map((_, index) => `${index + 1}`);

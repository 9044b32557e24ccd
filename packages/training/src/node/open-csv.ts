import type { Dataset } from "@tributary/algorithm";
import { badData } from "../data/bad-data.ts";
import { csvRecords, numbered, readCsv } from "../data/csv.ts";
import type { CsvSchema, Line } from "../data/csv-schema.ts";
import { TableScan } from "../data/table-scan.ts";
import { readText, staysOnDisk, within } from "./files.ts";
import { GrowingInts } from "./growing.ts";
import { type OpenedData, opened, shortened } from "./opened.ts";
import { RecordFile } from "./record-file.ts";

/** Opens a table: in memory, or, where it is too large for that, row by row from its file. */
export async function openCsv(path: string, schema: CsvSchema): Promise<OpenedData> {
  const onDisk = staysOnDisk(path);
  const { dataset, labels, groups, features, classes } = await within(path, async () =>
    onDisk ? tableOnDisk(path, schema) : readCsv(await readText(path), schema),
  );
  const named = classes.length === 0 ? "" : `, classes ${shortened(classes)}`;
  const name = `${path}, features ${shortened(features)}${named}${onDisk ? ", read in parts" : ""}`;
  return opened("table", dataset, { labels, groups, name });
}

async function tableOnDisk(path: string, schema: CsvSchema) {
  let scan: TableScan | undefined;
  const named = schema.header !== false;
  const file = new RecordFile<Line>(path, {
    quoted: true,
    parse(text, line) {
      const record = recordIn(text, line);
      if (record === undefined) return undefined;
      if (scan === undefined) {
        scan = new TableScan(named ? record : numbered(record), schema);
        if (named) return undefined;
      }
      return scan.keeps({ record, line }) ? { record, line } : undefined;
    },
  });
  const [seen, groups] = [new GrowingInts(), new GrowingInts()];
  await file.scan((row) => {
    scan!.see(row);
    const { label, group } = scan!.placesOf(row);
    // The order of the classes is known after the pass.
    if (schema.target !== undefined) seen.push(label);
    if (schema.group !== undefined) groups.push(group);
  });
  if (scan === undefined) badData("The table needs a header line and at least one row");
  const { rows } = scan;
  const encoding = scan.encoding();
  const { features, classes } = encoding;
  const order = scan.labels.map((label) => classes.indexOf(label));
  const labels = classes.length === 0 ? undefined : seen.values().map((place) => order[place]!);
  const width = features.length;
  const dataset: Dataset = {
    examples: rows,
    shape: [width],
    classes: classes.length,
    target:
      classes.length > 0 ? "class" : schema.targetKind === "number" && schema.target !== undefined ? "number" : "none",
    async batch(positions, into, targets) {
      const values = new Float64Array(width);
      for (let i = 0; i < positions.length; i++) {
        const row = await file.row(positions[i]!);
        encoding.write(row, values.fill(0));
        into.set(values, i * width);
        if (schema.target !== undefined) targets[i] = encoding.target(row);
      }
    },
  };
  return { dataset, labels, groups: schema.group === undefined ? undefined : groups.values(), features, classes };
}

/** One record's values; undefined for a blank line. */
function recordIn(text: string, line: number): readonly string[] | undefined {
  const written = text.endsWith("\r") ? text.slice(0, -1) : text;
  if (written === "") return undefined;
  if (!written.includes('"')) return written.split(",");
  const values = quotedValues(written);
  if (values !== undefined) return values;
  try {
    return csvRecords(written)[0]?.record;
  } catch (cause) {
    return badData(`Line ${line}: ${(cause as Error).message.replace(/\.$/, "")}`, cause);
  }
}

/** The values of a well-formed record with quotes, without a parser of its own for each. */
function quotedValues(record: string): string[] | undefined {
  const value = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;
  const values: string[] = [];
  for (;;) {
    const found = value.exec(record);
    if (found === null) return undefined;
    const [, quoted, bare, end] = found;
    values.push(quoted === undefined ? bare! : quoted.replaceAll('""', '"'));
    if (end === "") return values;
  }
}

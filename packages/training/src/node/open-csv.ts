import type { Dataset } from "@tributary/algorithm";
import { badData } from "../data/bad-data.ts";
import { numbered, readCsv } from "../data/csv.ts";
import { csvRecords, type Separator, separatorOf } from "../data/csv-records.ts";
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
  let separator: Separator | undefined;
  const named = schema.header !== false;
  const file = new RecordFile<Line>(path, {
    quoted: true,
    parse(text, line) {
      const first = text.includes("\n") ? line - text.split("\n").length + 1 : line;
      const [row] = csvRecords(`${text}\n`, { separator: separator ?? separatorOf(text), line: first });
      if (row === undefined) return undefined;
      const { record } = row;
      separator ??= separatorOf(text);
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

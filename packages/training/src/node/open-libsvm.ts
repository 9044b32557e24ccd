import type { Dataset } from "@tributary/algorithm";
import { type LibsvmRow, LibsvmScan, type LibsvmSchema, readLibsvm, readLibsvmLine } from "../data/libsvm.ts";
import { readText, staysOnDisk, within } from "./files.ts";
import { GrowingInts } from "./growing.ts";
import { type OpenedData, opened, shortened } from "./opened.ts";
import { RecordFile } from "./record-file.ts";

/** From this width on, rows count as sparse: written out, most of a batch would be zeros. */
const sparseWidth = 1024;

/** Opens a LIBSVM file: in memory as sparse rows, or, where it is too large for that, row by row from the file. */
export async function openLibsvm(path: string, schema: LibsvmSchema): Promise<OpenedData> {
  const onDisk = staysOnDisk(path);
  const { dataset, labels, classes } = await within(path, async () =>
    onDisk ? rowsOnDisk(path, schema) : readLibsvm(await readText(path), schema),
  );
  const named = classes.length === 0 ? "" : `, classes ${shortened(classes.map(String))}`;
  const kind = dataset.shape[0]! > sparseWidth ? "sparse" : "table";
  return opened(kind, dataset, { labels, name: `${path}${named}${onDisk ? ", read in parts" : ""}` });
}

async function rowsOnDisk(path: string, schema: LibsvmSchema) {
  const scan = new LibsvmScan(schema);
  const file = new RecordFile<LibsvmRow>(path, { quoted: false, parse: readLibsvmLine });
  const labelled = new GrowingInts();
  await file.scan((row, line) => {
    scan.see(row, line);
    labelled.push(row.label);
  });
  const { width, classes } = scan.result();
  const places = new Map(classes.map((label, place) => [label, place]));
  const dataset: Dataset = {
    examples: scan.rows,
    shape: [width],
    classes: classes.length,
    target: classes.length > 0 ? "class" : "number",
    async batch(positions, features, targets) {
      features.fill(0, 0, positions.length * width);
      for (let i = 0; i < positions.length; i++) {
        const { label, columns, values } = await file.row(positions[i]!);
        columns.forEach((column, at) => {
          features[i * width + column] = values[at]!;
        });
        targets[i] = places.get(label) ?? label;
      }
    },
  };
  const labels = classes.length === 0 ? undefined : labelled.values().map((label) => places.get(label)!);
  return { dataset, labels, classes };
}

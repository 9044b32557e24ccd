import { readText, type TextSchema } from "../data/text.ts";
import { readText as readFileText, staysOnDisk, within } from "./files.ts";
import { type OpenedData, opened } from "./opened.ts";
import { textOnDisk } from "./text-file.ts";

/** Opens a text: in memory, or, where it is too large for that, by parts from its file. */
export async function openText(path: string, schema: TextSchema): Promise<OpenedData> {
  const onDisk = staysOnDisk(path);
  const { dataset, labels, groups, vocabulary, isLate } = await within(path, async () =>
    onDisk
      ? { ...(await textOnDisk(path, schema)), labels: undefined, groups: undefined, isLate: undefined }
      : readText(await readFileText(path), schema),
  );
  const name = `${path}, windows of characters${onDisk ? ", read in parts" : ""}`;
  const found = opened("text", dataset, { labels, groups, name });
  return {
    ...found,
    data: { ...found.data, vocabulary },
    ...(isLate === undefined ? {} : { isTest: (row: number) => isLate[row] === 1 }),
  };
}

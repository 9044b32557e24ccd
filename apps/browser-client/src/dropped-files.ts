import type { LabelledFile } from "./training/messages.ts";

/** Files that were dropped on the page, each with its folder's name where it came in one. */
export async function droppedFiles({ items }: DataTransfer): Promise<readonly LabelledFile[]> {
  // All of them at once: after the first wait the list is empty.
  const all = Array.from(items, (item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }));
  const found = all.map(async ({ entry, file }): Promise<readonly LabelledFile[]> => {
    if (entry !== null) return filesIn(entry, "");
    return file === null ? [] : [{ file, label: "" }];
  });
  return (await Promise.all(found)).flat();
}

/** Files chosen as a whole folder: their own folder's name is their label. */
export function chosenFiles(files: Iterable<File>): readonly LabelledFile[] {
  return Array.from(files, (file) => ({ file, label: file.webkitRelativePath.split("/").at(-2) ?? "" }));
}

async function filesIn(entry: FileSystemEntry, label: string): Promise<readonly LabelledFile[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    return [{ file, label }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: LabelledFile[] = [];
  for (;;) {
    // A reader gives its entries in parts, and an empty part at the end.
    const part = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (part.length === 0) return found;
    for (const inner of part) found.push(...(await filesIn(inner, entry.name)));
  }
}

/** A file and the names of the folders that it lies in, from the outermost chosen or dropped one on. */
export interface PlacedFile {
  readonly file: File;
  readonly folders: readonly string[];
}

/** Files that were dropped on the page; hidden ones are not among them. */
export async function droppedFiles({ items }: DataTransfer): Promise<readonly PlacedFile[]> {
  // All of them at once: after the first wait the list is empty.
  const all = Array.from(items, (item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }));
  const found = all.map(async ({ entry, file }): Promise<readonly PlacedFile[]> => {
    if (entry !== null) return filesIn(entry, []);
    return file === null ? [] : [{ file, folders: [] }];
  });
  return withoutHidden((await Promise.all(found)).flat());
}

/** Files chosen as a whole folder; hidden ones are not among them. */
export function chosenFiles(files: Iterable<File>): readonly PlacedFile[] {
  return withoutHidden(
    Array.from(files, (file) => ({ file, folders: file.webkitRelativePath.split("/").slice(0, -1) })),
  );
}

/**
 * Systems leave files in folders that nobody chose: `.DS_Store`, and `._a.png`, which is no image, beside each `a.png`. What
 * was chosen or dropped itself counts whatever its name.
 */
function withoutHidden(files: readonly PlacedFile[]): readonly PlacedFile[] {
  const isHidden = (name: string) => name.startsWith(".");
  return files.filter(({ file, folders }) => ![...folders, file.name].slice(1).some(isHidden));
}

async function filesIn(entry: FileSystemEntry, folders: readonly string[]): Promise<readonly PlacedFile[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    return [{ file, folders }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: PlacedFile[] = [];
  for (;;) {
    // A reader gives its entries in parts, and an empty part at the end.
    const part = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (part.length === 0) return found;
    for (const inner of part) found.push(...(await filesIn(inner, [...folders, entry.name])));
  }
}

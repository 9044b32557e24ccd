import type { KeptChoice } from "./messages.ts";

const folderName = "tributary-data";
const listName = "choice.json";

/** A sync access handle: how workers write to the origin's private files in every browser that has them. */
interface Writer {
  write(bytes: Uint8Array, options: { at: number }): number;
  truncate(size: number): void;
  flush(): void;
  close(): void;
}

/** Writes what a person chose to the browser's private files for this origin, in place of what was kept before. */
export async function keepChoice(kept: KeptChoice): Promise<void> {
  await forgetKept();
  try {
    await write(kept, await theFolder(true));
  } catch (error) {
    // Half of it is of no use, and takes room.
    await forgetKept();
    throw error;
  }
}

async function write(kept: KeptChoice, folder: FileSystemDirectoryHandle): Promise<void> {
  const files: File[] = [];
  const listed = JSON.stringify(kept, (_key, value: unknown) => {
    if (!(value instanceof File)) return value;
    files.push(value);
    return { keptFile: files.length - 1, name: value.name };
  });
  for (const [i, file] of files.entries()) await writeFile(folder, `${i}`, new Uint8Array(await file.arrayBuffer()));
  // Last: without it nothing counts as kept.
  await writeFile(folder, listName, new TextEncoder().encode(listed));
}

/** Whether something was kept, without reading it. */
export async function somethingKept(): Promise<boolean> {
  try {
    await (await theFolder(false)).getFileHandle(listName);
    return true;
  } catch {
    return false;
  }
}

/** What was kept, its files read where they lie; `undefined` where nothing is. */
export async function keptChoice(): Promise<KeptChoice | undefined> {
  try {
    const folder = await theFolder(false);
    const read = async (name: string) => (await folder.getFileHandle(name)).getFile();
    const files: File[] = [];
    const listed = await (await read(listName)).text();
    for (let i = 0; listed.includes(`"keptFile":${i},`); i++) files.push(await read(`${i}`));
    const kept = JSON.parse(listed, (_key, value: { keptFile?: number; name?: string } | null) => {
      const file = value?.keptFile === undefined ? undefined : files[value.keptFile];
      return file === undefined ? value : new File([file], value?.name ?? "");
    }) as Partial<KeptChoice>;
    // What an earlier build of this page kept has no name.
    return kept.choice === undefined ? undefined : (kept as KeptChoice);
  } catch (error) {
    if ((error as Error).name === "NotFoundError") return undefined;
    throw error;
  }
}

/** Deletes what was kept. */
export async function forgetKept(): Promise<void> {
  const root = await navigator.storage.getDirectory();
  await root.removeEntry(folderName, { recursive: true }).catch((error: Error) => {
    if (error.name !== "NotFoundError") throw error;
  });
}

async function theFolder(create: boolean): Promise<FileSystemDirectoryHandle> {
  return (await navigator.storage.getDirectory()).getDirectoryHandle(folderName, { create });
}

async function writeFile(folder: FileSystemDirectoryHandle, name: string, bytes: Uint8Array): Promise<void> {
  const file = (await folder.getFileHandle(name, { create: true })) as unknown as {
    createSyncAccessHandle(): Promise<Writer>;
  };
  const writer = await file.createSyncAccessHandle();
  try {
    writer.truncate(0);
    writer.write(bytes, { at: 0 });
    writer.flush();
  } finally {
    writer.close();
  }
}

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openSqlite, sqliteCode } from "./sqlite.ts";

/** Another process runs on this data folder. */
export class DataFolderInUse extends Error {
  /** The process that holds the folder; undefined in the instant before it has written its number. */
  readonly pid: number | undefined;

  constructor(folder: string, pid: number | undefined) {
    super(`data folder ${folder} is in use by process ${pid ?? "(not known yet)"}; stop it, or name another folder`);
    this.name = "DataFolderInUse";
    this.pid = pid;
  }
}

// https://www.sqlite.org/rescode.html#busy
const busy = 5;

/**
 * Takes the folder (made if it is missing) for this process, until `release` or the process's end, however it ends: the
 * operating system frees the lock. Throws DataFolderInUse if another process, or this one, has it already. The folder
 * must be on a local disk; network file systems often do not lock.
 */
export async function lockDataFolder(folder: string): Promise<{ release(): void }> {
  await mkdir(folder, { recursive: true });
  const pidFile = join(folder, "lock.pid");
  // Node has no file locks of its own; SQLite's exclusive transaction is one that works everywhere.
  const database = await openSqlite(join(folder, "lock.sqlite"));
  try {
    database.exec("begin exclusive");
  } catch (error) {
    database.close();
    if (sqliteCode(error) !== busy) throw error;
    throw new DataFolderInUse(folder, await writtenPid(pidFile));
  }
  // Beside the lock: what SQLite has locked exclusively nobody else can read.
  await writeFile(pidFile, `${process.pid}\n`);
  return { release: () => database.close() };
}

async function writtenPid(file: string): Promise<number | undefined> {
  const pid = Number.parseInt(await readFile(file, "utf8").catch(() => ""), 10);
  return Number.isInteger(pid) ? pid : undefined;
}

import { expect, test } from "vitest";
import { DataFolderInUse, lockDataFolder } from "../../apps/coordinator/src/store/lock.ts";
import { dataFolder } from "../support/data-folder.ts";
import { lineProcess } from "../support/line-process.ts";

const holdLock = "store-hold-lock.mjs";

test("a second process on one data folder is refused and told who holds it", async () => {
  const folder = await dataFolder();
  const { release } = await lockDataFolder(folder);
  const second = lineProcess(holdLock, folder);
  expect(await second.ended).toBe(2);
  expect(second.lines).toEqual([
    `data folder ${folder} is in use by process ${process.pid}; stop it, or name another folder`,
  ]);
  release();
  const third = lineProcess(holdLock, folder);
  await third.printed((line) => line === "locked");
});

test("kill -9 of the holder frees the folder", async () => {
  const folder = await dataFolder();
  const holder = lineProcess(holdLock, folder);
  await holder.printed((line) => line === "locked");
  const refused = await lockDataFolder(folder).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(DataFolderInUse);
  expect(refused).toMatchObject({ pid: holder.pid });
  holder.kill("SIGKILL");
  expect(await holder.ended).toBe("SIGKILL");
  const { release } = await lockDataFolder(folder);
  release();
});

test("one process cannot take a folder twice", async () => {
  const folder = await dataFolder();
  const { release } = await lockDataFolder(folder);
  await expect(lockDataFolder(folder)).rejects.toThrow(`in use by process ${process.pid}`);
  // The refused attempt has closed its own handle; that must not have freed the lock (POSIX locks fall that way).
  expect(await lineProcess(holdLock, folder).ended).toBe(2);
  release();
  (await lockDataFolder(folder)).release();
});

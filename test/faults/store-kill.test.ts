import { createHash } from "node:crypto";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { seededRandom } from "@tributary/algorithm";
import type { ClientId, RunId } from "@tributary/protocol";
import { expect, test } from "vitest";
import { openBlobs } from "../../apps/coordinator/src/store/blobs.ts";
import { decodeCheckpoint } from "../../apps/coordinator/src/store/checkpoint.ts";
import { lockDataFolder } from "../../apps/coordinator/src/store/lock.ts";
import { openSqliteStore } from "../../apps/coordinator/src/store/sqlite.ts";
import { dataFolder } from "../support/data-folder.ts";
import { lineProcess } from "../support/line-process.ts";

const run = "run-0000000a" as RunId;
const client = "client-00000001" as ClientId;

test("ten times kill -9: every acknowledged round is there, whole, with its blobs", async () => {
  const folder = await dataFolder();
  const random = seededRandom(9, "kill times");
  let acknowledged = 0;
  for (let kill = 0; kill < 10; kill++) {
    const child = lineProcess("store-commit-loop.mjs", folder);
    await child.printed((line) => line.startsWith("committed"));
    // Whenever the kill comes, the assertions hold; the random moment only spreads where in a commit it falls.
    await new Promise((resolve) => setTimeout(resolve, random.uniform() * 60));
    child.kill("SIGKILL");
    expect(await child.ended).toBe("SIGKILL");
    const rounds = child.lines.filter((line) => line.startsWith("committed")).map((line) => Number(line.split(" ")[1]));
    expect(rounds[0]).toBeGreaterThan(acknowledged);
    acknowledged = rounds.at(-1)!;

    const lock = await lockDataFolder(folder);
    const store = await openSqliteStore(join(folder, "tributary.sqlite"));
    const blobs = await openBlobs(join(folder, "blobs"));
    expect((await readdir(join(folder, "blobs"))).filter((name) => name.startsWith("."))).toEqual([]);
    const stored = (await store.run(run))!;
    const { round: last } = stored.record;
    // One more than was acknowledged may have been committed: the kill fell between the two.
    expect([acknowledged, acknowledged + 1]).toContain(last);
    expect(stored.progress).toBe(last);
    expect(stored.record.modelVersion).toBe(last);
    expect((await store.rounds(run)).map(({ round }) => round)).toEqual(Array.from({ length: last }, (_, i) => i + 1));
    expect(await store.client(client)).toMatchObject({ contributions: last });
    for (const model of await store.models(run)) {
      const bytes = await blobs.get(model.sha256);
      expect(createHash("sha256").update(bytes).digest("hex")).toBe(model.sha256);
      const state = decodeCheckpoint(await blobs.get((await store.checkpoint(run, model.version))!));
      expect(state["round"]).toBe(model.round);
      expect(state.model.every((value) => value === model.round)).toBe(true);
    }
    await store.close();
    lock.release();
  }
});

test("no attempt's number is used twice, whenever kill -9 comes", async () => {
  const folder = await dataFolder();
  const begun: string[] = [];
  for (let kill = 0; kill < 4; kill++) {
    const child = lineProcess("store-commit-loop.mjs", folder);
    await child.printed((line) => line.startsWith("began"));
    child.kill("SIGKILL");
    await child.ended;
    begun.push(...child.lines.filter((line) => line.startsWith("began")));
  }
  expect(begun.length).toBeGreaterThanOrEqual(4);
  expect(new Set(begun).size).toBe(begun.length);
});

test("a blob that was changed or lost on disk is named, and mended by the right bytes", async () => {
  const folder = await dataFolder();
  const blobs = await openBlobs(folder);
  const bytes = new TextEncoder().encode("a model");
  const sha256 = await blobs.put(bytes);
  const path = join(folder, sha256);
  await writeFile(path, "a m0del");
  await expect(blobs.get(sha256)).rejects.toThrow(`the blob ${path} has the SHA-256`);
  await expect(blobs.verify(sha256)).rejects.toThrow(`the blob ${path} has the SHA-256`);
  expect(await blobs.put(bytes)).toBe(sha256);
  expect(await blobs.get(sha256)).toEqual(bytes);
  await blobs.verify(sha256);
  const missing = createHash("sha256").update("never stored").digest("hex") as typeof sha256;
  expect(await blobs.find(missing)).toBeUndefined();
  await expect(blobs.get(missing)).rejects.toThrow(`the blob ${join(folder, missing)} is missing`);
  await expect(blobs.verify(missing)).rejects.toThrow("is missing");
});

test("half-written blobs of a dead process are swept at start, whole ones stay", async () => {
  const folder = await dataFolder();
  const sha256 = await (await openBlobs(folder)).put(Uint8Array.of(1, 2, 3));
  await writeFile(join(folder, ".tmp-of-the-dead"), "half a mod");
  const blobs = await openBlobs(folder);
  expect(await readdir(folder)).toEqual([sha256]);
  expect(await blobs.find(sha256)).toEqual({ path: join(folder, sha256), bytes: 3 });
});

test("a blob put in chunks has the name of the whole, and serves any part", async () => {
  const blobs = await openBlobs(await dataFolder());
  const chunks = (async function* () {
    yield Uint8Array.of(1, 2);
    yield Uint8Array.of(3);
  })();
  const sha256 = await blobs.put(chunks);
  expect(await blobs.put(Uint8Array.of(1, 2, 3))).toBe(sha256);
  expect(await blobs.stream(sha256, { start: 1, end: 2 }).toArray()).toEqual([Buffer.of(2, 3)]);
});

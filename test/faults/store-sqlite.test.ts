import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { schemaVersion } from "../../apps/coordinator/src/store/migrations.ts";
import { openSqlite, openSqliteStore } from "../../apps/coordinator/src/store/sqlite.ts";
import { dataFolder } from "../support/data-folder.ts";
import { enrolment, initialModel, newRun, roundCommit, run } from "../support/store-records.ts";
import { storeSuite } from "../support/store-suite.ts";

storeSuite("SQLite", async () => {
  const file = join(await dataFolder(), "tributary.sqlite");
  return { open: () => openSqliteStore(file) };
});

test("a database that a newer Tributary wrote is named, refused and left as it was", async () => {
  const file = join(await dataFolder(), "tributary.sqlite");
  await (await openSqliteStore(file)).close();
  const database = await openSqlite(file);
  database.exec(`update meta set value = '${schemaVersion + 1}' where key = 'schema_version'`);
  // The closed store's statements hold their connection until they are garbage; the log is folded in here, not then.
  database.exec("pragma wal_checkpoint(truncate)");
  database.close();
  const before = await readFile(file);
  await expect(openSqliteStore(file)).rejects.toThrow(`${file} has schema version ${schemaVersion + 1}`);
  expect(await readFile(file)).toEqual(before);
});

test("a device that enrolled before devices had keys is there still, its token worth nothing", async () => {
  const file = join(await dataFolder(), "tributary.sqlite");
  const store = await openSqliteStore(file);
  await store.enrol(enrolment(1));
  await store.close();
  const database = await openSqlite(file);
  const later = ["public_key", "token_expires_at", "asked", "answered", "capabilities"];
  for (const column of later) database.exec(`alter table clients drop column ${column}`);
  database.exec(
    "drop index judged_rounds; alter table runs drop column totals; alter table runs drop column problem; drop table timelines; alter table rounds drop column summary",
  );
  database.exec("update meta set value = '2' where key = 'schema_version'");
  database.close();
  const migrated = await openSqliteStore(file);
  expect(await migrated.clients()).toMatchObject([{ client: enrolment(1).client, name: "box 1", publicKey: "" }]);
  expect(await migrated.clientByTokenHash(enrolment(1).tokenHash, 0)).toBeUndefined();
  await migrated.close();
});

test("a run from before runs had totals has those of all its rounds, their judging with them", async () => {
  const file = join(await dataFolder(), "tributary.sqlite");
  const store = await openSqliteStore(file);
  await store.createRun(newRun());
  await store.initModel(initialModel());
  for (let round = 1; round <= 101; round++) {
    await store.beginAttempt(run, round, 1);
    await store.commitRound(roundCommit(round));
  }
  const judgement = { metrics: {}, seconds: 0.25, judging: { bytesUp: 5, bytesDown: 3 } };
  await store.saveEvaluation({ run, round: 101, ...judgement, state: { phase: "paused", progress: 1 } });
  await store.close();
  const database = await openSqlite(file);
  database.exec("alter table runs drop column totals; alter table runs drop column problem; drop index judged_rounds");
  database.exec("update meta set value = '5' where key = 'schema_version'");
  database.close();
  const migrated = await openSqliteStore(file);
  const { totals } = (await migrated.run(run))!.record;
  expect(totals).toEqual({ bytesUp: 101 * 2 ** 33 + 5, bytesDown: 101 * 7 + 3, seconds: 101 * 1.875 + 0.25 });
  await migrated.close();
});

test("a file that is no database is named, refused and left as it was", async () => {
  const file = join(await dataFolder(), "tributary.sqlite");
  const text = "my notes, saved under an unlucky name\n".repeat(40);
  await writeFile(file, text);
  await expect(openSqliteStore(file)).rejects.toThrow(`the database ${file} is damaged`);
  expect(await readFile(file, "utf8")).toBe(text);
});

test("a database with an overwritten page is named, refused and left as it was", async () => {
  const file = join(await dataFolder(), "tributary.sqlite");
  const store = await openSqliteStore(file);
  await store.createRun(newRun());
  await store.close();
  const bytes = await readFile(file);
  bytes.fill(0xa5, 4096, 8192);
  await writeFile(file, bytes);
  await expect(openSqliteStore(file)).rejects.toThrow(`the database ${file} is damaged`);
  expect(await readFile(file)).toEqual(bytes);
});

test("closing folds the write-ahead log into the database", async () => {
  const folder = await dataFolder();
  const store = await openSqliteStore(join(folder, "tributary.sqlite"));
  await store.createRun(newRun());
  await store.close();
  await rm(join(folder, "tributary.sqlite-wal"), { force: true });
  await rm(join(folder, "tributary.sqlite-shm"), { force: true });
  const again = await openSqliteStore(join(folder, "tributary.sqlite"));
  expect(await again.runs()).toHaveLength(1);
  await again.close();
});

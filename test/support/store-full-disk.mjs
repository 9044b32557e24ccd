// Run on a disk of 4 MiB at $DISK: fills it, and prints as JSON what store, blobs and spool do before, during and after.
import { createHash } from "node:crypto";
import { readdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openBlobs } from "../../apps/coordinator/dist/store/blobs.js";
import { openSpool } from "../../apps/coordinator/dist/store/spool.js";
import { openSqliteStore } from "../../apps/coordinator/dist/store/sqlite.js";

const disk = process.env.DISK;
const ballast = join(disk, "ballast");
const code = (promise) =>
  promise.then(
    () => "accepted",
    (error) => error.code ?? String(error),
  );

const store = await openSqliteStore(join(disk, "tributary.sqlite"));
const blobs = await openBlobs(join(disk, "blobs"));
const spool = await openSpool(join(disk, "spool"));
const newRun = (number) => ({ run: `run-0000000${number}`, name: "r", spec: "x".repeat(100_000), createdAt: number });
const bytes = new Uint8Array(1 << 20).fill(7);
const digest = createHash("sha256").update(bytes).digest("hex");
const answer = { run: "run-00000001", round: 1, attempt: 1, step: 0, client: "client-00000001" };
const receive = () =>
  spool.receive(
    answer,
    (async function* () {
      yield bytes;
    })(),
    { expectedBytes: bytes.length, digest },
  );

await store.createRun(newRun(1));
const { bavail, bsize } = statfsSync(disk);
writeFileSync(ballast, new Uint8Array(bavail * bsize));
const full = {
  createRun: await code(store.createRun(newRun(2))),
  createRunAgain: await code(store.createRun(newRun(2))),
  put: await code(blobs.put(bytes)),
  receive: await code(receive()),
  read: (await store.runs()).length,
  left: [...readdirSync(join(disk, "blobs")), ...(await spool.answered(answer))],
  temporary: readdirSync(join(disk, "spool")).filter((name) => name.startsWith(".tmp-")),
};
rmSync(ballast);
const after = {
  createRun: await code(store.createRun(newRun(2))),
  put: await code(blobs.put(bytes)),
  receive: await code(receive()),
  read: (await store.runs()).length,
};
await store.close();
const again = await openSqliteStore(join(disk, "tributary.sqlite"));
const reopened = (await again.runs()).length;
await again.close();
process.stdout.write(JSON.stringify({ full, after, reopened }));

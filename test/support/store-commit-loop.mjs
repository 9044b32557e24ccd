// Takes the data folder of argv[2] and commits rounds for ever, saying "began N/attempt" and "committed N" once each is acknowledged.
import { join } from "node:path";
import { openBlobs } from "../../apps/coordinator/dist/store/blobs.js";
import { encodeCheckpoint } from "../../apps/coordinator/dist/store/checkpoint.js";
import { lockDataFolder } from "../../apps/coordinator/dist/store/lock.js";
import { openSqliteStore } from "../../apps/coordinator/dist/store/sqlite.js";

const folder = process.argv[2];
const run = "run-0000000a";
await lockDataFolder(folder);
const blobs = await openBlobs(join(folder, "blobs"));
const store = await openSqliteStore(join(folder, "tributary.sqlite"));
const put = async (round) => {
  const model = new Float32Array(5000).fill(round);
  const sha256 = await blobs.put(new Uint8Array(model.buffer));
  return { sha256, bytes: model.byteLength, checkpoint: await blobs.put(encodeCheckpoint({ model, round })) };
};

if ((await store.run(run)) === undefined) {
  await store.createRun({ run, name: "r", spec: {}, createdAt: 0 });
  const { sha256, bytes, checkpoint } = await put(0);
  const model = { run, version: 0, round: 0, sha256, bytes, parameters: 5000, metrics: {}, createdAt: 0 };
  await store.initModel({ model, checkpoint, state: { phase: "created", progress: 0 } });
  await store.enrol({
    client: "client-00000001",
    name: "c",
    tags: [],
    engine: "e",
    tokenHash: "0",
    tokenExpiresAt: 0,
    publicKey: "",
    createdAt: 0,
  });
}
for (let round = (await store.run(run)).record.round + 1; ; round++) {
  const attempt = (await store.lastAttempt(run, round)) + 1;
  await store.beginAttempt(run, round, attempt);
  process.stdout.write(`began ${round}/${attempt}\n`);
  const { sha256, bytes, checkpoint } = await put(round);
  const record = {
    run,
    round,
    attempt,
    modelVersion: round,
    modelSha256: sha256,
    openedAt: 0,
    committedAt: 0,
    cohort: ["client-00000001"],
    survivors: ["client-00000001"],
    dropped: [],
    weight: 1,
    metrics: {},
    bytesUp: 0,
    bytesDown: 0,
    seconds: { gathering: 0, collecting: 0, aggregating: 0, evaluating: 0 },
  };
  const model = { run, version: round, round, sha256, bytes, parameters: 5000, metrics: {}, createdAt: 0 };
  await store.commitRound({ record, model, checkpoint, state: { phase: "gathering", progress: round } });
  process.stdout.write(`committed ${round}\n`);
}

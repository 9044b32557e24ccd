import { createHash } from "node:crypto";
import type { ClientId, ModelRecord, RoundRecord, RunId, Sha256 } from "@tributary/protocol";
import type { Enrolment, InitialModel, NewRun, RoundCommit } from "../../apps/coordinator/src/store/store.ts";

export const run = "run-0000000a" as RunId;

export function clientNamed(number: number): ClientId {
  return `client-${String(number).padStart(8, "0")}` as ClientId;
}

export function sha(text: string): Sha256 {
  return createHash("sha256").update(text).digest("hex") as Sha256;
}

export function newRun(change: Partial<NewRun> = {}): NewRun {
  return { run, name: "digits", spec: { stop: { rounds: 3 } }, createdAt: 1_700_000_000_000, ...change };
}

export function enrolment(number: number, change: Partial<Enrolment> = {}): Enrolment {
  const client = clientNamed(number);
  const capabilities = { platform: "a test", processors: number, memoryBytes: 2 ** 40 };
  const described = { name: `box ${number}`, tags: ["gpu"], engine: "plain", capabilities };
  const session = { tokenHash: sha(client), tokenExpiresAt: 1_700_086_400_000 };
  const publicKey = Buffer.from(sha(`key of ${client}`), "hex").toString("base64");
  return { client, ...described, ...session, publicKey, createdAt: 1_700_000_000_000 + number, ...change };
}

function modelOf(version: number): ModelRecord {
  const sha256 = sha(`model ${version}`);
  return { run, version, round: version, sha256, bytes: 40, parameters: 10, metrics: { loss: 1 }, createdAt: 5 };
}

export function initialModel(): InitialModel {
  const state = { phase: "created", progress: { round: 0 } } as const;
  return { model: { ...modelOf(0), metrics: {} }, checkpoint: sha("checkpoint 0"), state };
}

/** The commit of a round whose cohort is clients 1 to `cohort` and whose last client dropped out. */
export function roundCommit(round: number, change: Partial<RoundRecord> = {}, cohort = 3): RoundCommit {
  const clients = Array.from({ length: cohort }, (_, index) => clientNamed(index + 1));
  const model = modelOf(round);
  const record: RoundRecord = {
    run,
    round,
    attempt: 1,
    modelVersion: round,
    modelSha256: model.sha256,
    openedAt: 1_700_000_001_000,
    committedAt: 1_700_000_002_000,
    cohort: clients,
    survivors: clients.slice(0, -1),
    dropped: [{ client: clients.at(-1)!, step: "update", reason: "late" }],
    weight: 12.5,
    metrics: { loss: 1 / 3 },
    bytesUp: 2 ** 33,
    bytesDown: 7,
    seconds: { gathering: 0.5, collecting: 1.25, aggregating: 0.125, evaluating: 0 },
    ...change,
  };
  const state = { phase: "gathering", progress: { round }, metrics: { loss: 1 / 3 } } as const;
  return { record, model, checkpoint: sha(`checkpoint ${round}`), state };
}

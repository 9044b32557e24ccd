import type { LedgerEntry, ParticipantEvent } from "@tributary/participant";
import type { ClientId, Hint, RunId } from "@tributary/protocol";
import { expect, test } from "vitest";
import { after, afterSending, type PartState, partBefore } from "../../apps/browser-client/src/device/part-state.ts";
import type { OpenRun } from "../../apps/browser-client/src/open-runs.ts";

const run = { run: "run-00000001" as RunId, phase: "gathering" } as OpenRun;
const hint: Hint = { run: run.run, round: 1, attempt: 1, step: 0, kind: "train" };
const client = "client-00000001" as ClientId;
const failed: ParticipantEvent = { type: "waiting", reason: "PUT /v1/…: HTTP status 503", retryInMs: 100 };
const sent = (protection: "none" | "masked" | "keys"): ParticipantEvent => {
  return { type: "sent", hint, bytes: 1_500, duplicate: false, protection };
};
const now = 1_700_000_000_000;
const taken = (...events: readonly ParticipantEvent[]): PartState =>
  events.reduce((state, event) => after(state, event, now), partBefore(run));
const connected: ParticipantEvent = { type: "connected", client };

test("a request that failed is no lost connection, and is forgotten once the work goes on", () => {
  const retrying = taken(connected, { type: "asked", hint }, failed);
  expect(retrying).toMatchObject({ connection: { kind: "connected" }, isRetrying: true });
  expect(after(retrying, sent("none"), now)).toMatchObject({ isRetrying: false, doing: { kind: "sent" } });
  const gone = taken(connected, { type: "disconnected", reason: "transport close" }, failed);
  expect(gone).toMatchObject({ connection: { kind: "lost" }, isRetrying: false });
  expect(after(gone, connected, now)).toMatchObject({ connection: { kind: "connected" } });
});

const left = (kind: string, round: number, protection: "none" | "masked" = "masked") =>
  ({ kind, round, bytes: 1_500, protection }) as LedgerEntry;

test("a round's update is told of once, however often it is tried", () => {
  const entries = [left("keys", 1), left("update", 1), left("update", 1), left("judgement", 1), left("update", 2)];
  const state = entries.reduce((state, entry) => afterSending(state, entry, now), taken(connected));
  expect(state.log.map(({ text }) => text)).toEqual([
    "Round 2: sent the update, 1.5 kB, masked.",
    "Round 1: sent how the new model does on your data, 1.5 kB, masked.",
    "Round 1: sent the update, 1.5 kB, masked.",
    "Connected to the coordinator.",
  ]);
});

test("what is declined anew each second is shown, and said once", () => {
  const declined: ParticipantEvent = { type: "declined", run: run.run, hint, code: "bad_data", detail: "no examples" };
  const state = taken(connected, { type: "asked", hint }, declined, { type: "asked", hint }, declined);
  expect(state.doing).toEqual({ kind: "declined", detail: "no examples" });
  expect(state.log).toHaveLength(2);
});

test("losses go on from round to round", () => {
  const training = (round: number, loss: number): ParticipantEvent => {
    const progress = { epoch: 1, epochs: 1, batch: 1, batches: 1, loss };
    return { type: "training", hint: { ...hint, round }, done: 1, progress };
  };
  const asked = (round: number): ParticipantEvent => ({ type: "asked", hint: { ...hint, round } });
  expect(taken(asked(1), training(1, 2), asked(2), training(2, 1)).losses).toEqual([2, 1]);
});

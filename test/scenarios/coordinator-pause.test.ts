import type { ClientHalf } from "@tributary/algorithm";
import { clientHalfNamed } from "@tributary/catalog";
import { systemClock } from "@tributary/participant";
import { type RoundRecord, type RunId, routes } from "@tributary/protocol";
import { expect, onTestFinished, test } from "vitest";
import { call, createRun, runThat } from "../support/coordinator-calls.ts";
import { localCoordinator } from "../support/coordinator-local.ts";
import { deviceOf } from "../support/participant-device.ts";
import { secureOptions } from "../support/participant-secure-federation.ts";
import { specOf } from "../support/specs.ts";

const trainMs = 60_000;

/** Devices of one run, the first of which trains until it is stopped. */
async function federation(changes: Record<string, unknown>) {
  const { url } = await localCoordinator();
  // Time for all to come, and what each later round waits for a cohort that is no longer full.
  const deadlines = { joinMs: 4_000, trainMs };
  const spec = specOf({ deadlines, stop: { rounds: 3 }, ...changes });
  const { run } = await createRun(url, spec);
  const usual = clientHalfNamed("fedavg");
  const endless: ClientHalf = {
    ...usual,
    work: ({ signal }) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true })),
  };
  const devices = Array.from({ length: spec.cohort.size! }, (_, index) => {
    const { identityKey: _key, ...own } = secureOptions(index);
    const clientHalf = () => (index === 0 ? endless : usual);
    const device = deviceOf({ url }, { ...own, run: run as RunId, clock: systemClock, clientHalf });
    onTestFinished(() => device.participant.leave().catch(() => undefined));
    return device;
  });
  const client = (await devices[0]!.event("connected")).client;
  return { url, run, client, slow: devices[0]! };
}

test.each([
  { name: "in the clear", cohort: { size: 2, minimum: 1, overSelect: 1 }, secureAggregation: "none" },
  { name: "under secure aggregation", cohort: { size: 4, minimum: 3, overSelect: 1 }, secureAggregation: "required" },
])("rounds $name go on at once without a device that is paused at work, and do not ask it again", async (changes) => {
  const { name: _name, ...spec } = changes;
  const { url, run, client, slow } = await federation({
    ...spec,
    ...(spec.secureAggregation === "none" ? {} : { secure: { minimumSurvivors: 3 } }),
  });
  await slow.event("training");
  const pausedAt = Date.now();
  slow.participant.pause();
  expect(await runThat(url, run, ({ phase }) => phase === "finished")).toMatchObject({ round: 3 });
  expect(Date.now() - pausedAt).toBeLessThan(trainMs / 2);

  const { body: rounds } = await call<RoundRecord[]>(url, `GET ${routes.rounds(run)}`);
  const [first, ...later] = rounds;
  expect(first!.dropped.filter((dropped) => dropped.client === client)).toEqual([
    expect.objectContaining({ reason: "paused: its owner paused this device" }),
  ]);
  for (const { cohort } of later) expect(cohort).not.toContain(client);
});

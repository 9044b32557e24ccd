import type { Hint } from "@tributary/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { compareAddresses } from "../../packages/participant/src/address.ts";
import { ScriptedCoordinator } from "../support/participant-coordinator.ts";
import { deviceOf, planOf, theRun } from "../support/participant-device.ts";

const hints = fc.array(
  fc.record({
    run: fc.constant(theRun),
    round: fc.integer({ min: 1, max: 4 }),
    attempt: fc.integer({ min: 1, max: 3 }),
    step: fc.integer({ min: 0, max: 2 }),
    kind: fc.constantFrom("train" as const, "evaluate" as const),
  }),
  { maxLength: 20 },
);

test("C6, F6: of hints in any order, repeated or late, exactly those newer than all before are acted on", async () => {
  const coordinator = await new ScriptedCoordinator().start();
  coordinator.runs = [planOf(theRun)];
  try {
    await fc.assert(
      fc.asyncProperty(hints, async (sequence: Hint[]) => {
        const device = deviceOf(coordinator);
        const client = await device.offered();
        const last: Hint = { run: theRun, round: 9, attempt: 1, step: 0, kind: "train" };
        for (const hint of [...sequence, last]) coordinator.tell(client, "ask", hint);
        await device.event("asked", ({ hint }) => hint.round === last.round);
        await device.participant.leave();
        const asked = device.events.entries.flatMap((event) => (event.type === "asked" ? [event.hint] : []));
        const newer = sequence.filter((hint, i) =>
          sequence.slice(0, i).every((old) => compareAddresses(hint, old) > 0),
        );
        expect(asked).toEqual([...newer, last]);
      }),
      { numRuns: 40 },
    );
  } finally {
    await coordinator.stop();
  }
});

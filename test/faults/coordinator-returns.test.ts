import type { Clock } from "@tributary/participant";
import { ProtocolError } from "@tributary/protocol";
import { expect, onTestFinished, test } from "vitest";
import { ScriptedCoordinator } from "../support/participant-coordinator.ts";
import { deviceOf, planOf, questionOf, theRun } from "../support/participant-device.ts";

/** Waits of up to ten seconds pass at once; longer ones never end. */
const impatient: Clock = {
  now: () => performance.now(),
  setTimeout(callback, ms) {
    if (ms > 10_000) return () => undefined;
    const timer = setTimeout(callback, 1);
    return () => clearTimeout(timer);
  },
};

test.each([
  ["its question", "/questions/"],
  ["its model", "/blobs/"],
  ["its upload", "/answers/"],
])("a device that waits to try %s again does so as soon as the coordinator is back", async (_what, path) => {
  const coordinator = await new ScriptedCoordinator().start();
  coordinator.runs = [planOf(theRun)];
  let away = true;
  coordinator.disturb = (request) => {
    if (away && request.includes(path)) throw new ProtocolError("server_restarting", "soon", { retryAfterMs: 20_000 });
    return undefined;
  };
  const device = deviceOf(coordinator, { clock: impatient });
  onTestFinished(async () => {
    await device.participant.leave().catch(() => undefined);
    await coordinator.stop();
  });
  const client = await device.offered();
  coordinator.ask(client, questionOf(coordinator.publish(new Float32Array(6))));
  await coordinator.requests.next((request) => request.includes(path));
  await coordinator.stop();
  away = false;
  await coordinator.start();
  await device.event("sent");
  expect(coordinator.answers.entries).toMatchObject([{ client }]);
});

import { afterEach, beforeEach } from "vitest";
import { ScriptedCoordinator } from "./participant-coordinator.ts";
import { deviceOf, planOf, type TestDevice, theRun } from "./participant-device.ts";

/**
 * Before each test of a file `use` gets a scripted coordinator with one plain run; after it the devices leave that joined,
 * or were handed to `keep`, and the coordinator stops.
 */
export function scriptedRoom(use: (coordinator: ScriptedCoordinator) => void) {
  let coordinator: ScriptedCoordinator;
  let devices: TestDevice[] = [];

  beforeEach(async () => {
    coordinator = await new ScriptedCoordinator().start();
    coordinator.runs = [planOf(theRun)];
    devices = [];
    use(coordinator);
  });

  afterEach(async () => {
    await Promise.all(devices.map(({ participant }) => participant.leave().catch(() => undefined)));
    await coordinator.stop();
  });

  return {
    join(different?: Parameters<typeof deviceOf>[1]): TestDevice {
      const device = deviceOf(coordinator, different);
      devices.push(device);
      return device;
    },
    keep: (...joined: readonly TestDevice[]) => void devices.push(...joined),
  };
}

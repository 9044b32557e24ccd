import { availableParallelism, totalmem } from "node:os";
import type { Capabilities } from "@tributary/protocol";

/** What the operator is told of this machine. `adapter`: the graphics processor that the engine calculates on. */
export function capabilitiesHere(adapter: string | undefined): Capabilities {
  // In a container it may have less than the machine.
  const allowed = process.constrainedMemory() ?? 0;
  const whole = totalmem();
  return {
    platform: `Node ${process.versions.node} on ${process.platform} ${process.arch}`,
    processors: availableParallelism(),
    memoryBytes: allowed > 0 && allowed < whole ? allowed : whole,
    ...(adapter === undefined ? {} : { adapter: adapter.slice(0, 128) }),
  };
}

import type { ClientHalf, Dataset, Random, Trainer } from "@tributary/algorithm";
import type { RunPlan } from "@tributary/protocol";
import type { LocalWork } from "./contribute.ts";
import { checkRun, type DeviceFloors } from "./secure-floors.ts";

/** How a device finds out whether it can do a run's work; each may throw the refusal that says why not. */
export interface Abilities {
  /** This device's examples, checked against what the run wants; throws `data_mismatch`. */
  readonly datasetFor: (plan: RunPlan) => Dataset | Promise<Dataset>;
  readonly trainerFor: (plan: RunPlan) => Trainer | Promise<Trainer>;
  /** The device's half of an algorithm, by name. */
  readonly clientHalf: (name: string) => ClientHalf;
  /** Passes over the data that this device can make in a round, drawn anew for each. Default: as many as it is asked for. */
  readonly epochsAtMost?: (random: Random) => number;
  /** What this device's owner insists on. Default: secure sums as `defaultFloors` says, and runs in the clear too. */
  readonly floors?: DeviceFloors;
}

/** What this device needs for the run's work, or the refusal to take part. */
export async function admit(plan: RunPlan, abilities: Abilities): Promise<LocalWork> {
  checkRun(plan, abilities.floors ?? {});
  const half = abilities.clientHalf(plan.algorithm.name);
  const data = await abilities.datasetFor(plan);
  return { half, data, trainer: await abilities.trainerFor(plan), epochsAtMost: abilities.epochsAtMost };
}

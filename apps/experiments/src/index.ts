import type { Experiment } from "./experiment.ts";
import { x7, x7Secure } from "./x7.ts";

export { type Check, type Experiment, missingData, type Outcome } from "./experiment.ts";

/** Every acceptance experiment, by name. */
export const experiments: readonly Experiment[] = [x7, x7Secure];

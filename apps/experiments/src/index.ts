import type { Experiment } from "./experiment.ts";
import { secureAccuracy } from "./secure-accuracy.ts";
import { x1, x1Secure } from "./x1.ts";
import { x3 } from "./x3.ts";
import { x7, x7Secure } from "./x7.ts";
import { x7b, x8, x8c, x8Long } from "./x8.ts";
import { x9, x9Long } from "./x9.ts";
import { x10, x10Mnist } from "./x10.ts";
import { x11, x11Long } from "./x11.ts";
import { x14, x14b } from "./x14.ts";
import { x15 } from "./x15.ts";
import { x20 } from "./x20.ts";
import { x23a } from "./x23a.ts";

export { type Check, type Experiment, missingData, type Outcome } from "./experiment.ts";

/** Every acceptance experiment, by name. */
export const experiments: readonly Experiment[] = [
  ...[x1, x1Secure, x3, x7b, x8, x8Long, x8c, x9, x9Long, x10, x10Mnist, x11, x11Long],
  x7,
  x7Secure,
  secureAccuracy,
  x14,
  x14b,
  x15,
  x20,
  x23a,
];

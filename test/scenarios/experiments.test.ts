import { experiments, missingData } from "@tributary/experiments";
import { expect } from "vitest";
import { missingTime, testThatNeeds } from "../support/needs.ts";

// The acceptance experiments that train, in this process; `npm run experiment -- NAME` takes them through processes.
const quick = ["x10", "x9", "x14b", "x15", "x20"];
const long = [
  "x1",
  "x1-secure",
  "x14",
  "x23a",
  "x3",
  "x7b",
  "x8",
  "x8-long",
  "x8c",
  "x9-long",
  "x10-mnist",
  "x11",
  "x11-long",
];

for (const name of [...quick, ...long]) {
  const experiment = experiments.find((candidate) => candidate.name === name)!;
  const missing = missingData(experiment);
  const lacking = (long.includes(name) ? missingTime : undefined) ?? (missing.length > 0 ? missing.join() : undefined);
  testThatNeeds(
    lacking,
    `${name}: ${experiment.summary}`,
    async () => {
      const { checks } = await experiment.run({ seed: 0, inProcess: true, say: () => {} });
      expect(checks.filter(({ pass }) => !pass)).toEqual([]);
    },
    3_600_000,
  );
}

import { RunSpecSchema } from "@tributary/catalog";
import type { DataSpec } from "@tributary/protocol";
import { expect, test } from "vitest";
import type { OpenRun } from "../../apps/browser-client/src/open-runs.ts";
import { guardsOf, leavesOf, staysOf } from "../../apps/browser-client/src/what-leaves.ts";

const data: DataSpec = { kind: "table", shape: [2], target: "class", classes: 2 };
const run = (changes: Partial<OpenRun>) =>
  ({ algorithm: "fedavg", secure: true, judged: true, data, ...changes }) as OpenRun;

/** The names of all algorithms that a run may have. */
const names = (
  RunSpecSchema as unknown as { properties: { algorithm: { anyOf: { properties: { name: { const: string } } }[] } } }
).properties.algorithm.anyOf.map((member) => member.properties.name.const);

test.each(names)("the page knows what a device of %s sends", (algorithm) => {
  expect(leavesOf(run({ algorithm })).join(" ")).not.toContain("does not know");
});

test("what a run adds up in another way than this page knows is said to be unknown, and nothing is promised to stay", () => {
  expect(leavesOf(run({ algorithm: "median" }))[0]).toContain("“median”");
  expect(staysOf(run({ algorithm: "median" }))).toEqual(["The names of your files and columns."]);
});

test("sums over rows are no update, and in the clear may show a row", () => {
  const clusters = run({ algorithm: "kmeans", sampled: 5, secure: false, judged: false });
  expect(leavesOf(clusters).slice(0, 2)).toEqual([
    expect.stringMatching(/for each cluster the sum of your rows in it.*in the clear/),
    expect.stringMatching(/In the first round the sum of up to 5 of your rows.*in the clear/),
  ]);
  expect(staysOf(clusters).join(" ")).not.toContain("examples");
  const may = expect.stringContaining("A sum over a single row is that row");
  expect(guardsOf(clusters, { roster: false })).toContainEqual(may);
  expect(guardsOf({ ...clusters, secure: true }, { roster: false })).not.toContainEqual(may);
  expect(guardsOf(run({ secure: false }), { roster: false })).not.toContainEqual(may);
});

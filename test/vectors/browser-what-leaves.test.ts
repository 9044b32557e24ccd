import { RunSpecSchema } from "@tributary/catalog";
import type { DataSpec } from "@tributary/protocol";
import { expect, test } from "vitest";
import type { OpenRun } from "../../apps/browser-client/src/open-runs.ts";
import { guardsOf, leavesOf, staysOf } from "../../apps/browser-client/src/what-leaves.ts";

const data: DataSpec = { kind: "table", shape: [2], target: "class", classes: 2 };
/** A run, and what of its algorithm's parameters the page looks at. */
const run = ({ parameters = {}, ...changes }: Partial<OpenRun> & { parameters?: Record<string, unknown> }) =>
  ({
    algorithm: "fedavg",
    secure: true,
    judged: true,
    data,
    spec: { algorithm: { name: changes.algorithm ?? "fedavg", ...parameters } },
    ...changes,
  }) as unknown as OpenRun;
const guards = (of: OpenRun, examples?: number) => guardsOf(of, { roster: false, examples }).join("\n");

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
  const may = "A sum over a single row is that row";
  expect(guards(clusters)).toContain(may);
  expect(guards(run({ algorithm: "kmeans" }))).not.toContain(may);
  expect(guards(run({ secure: false }))).not.toContain(may);
});

test.each(["kmeans", "ridge", "statistics", "bigrams"])(
  "a secure sum of %s hides no row that is alone in it",
  (algorithm) => {
    const parameters = { minimumCount: 5, largest: 100, maximumRows: 10_000 };
    expect(guards(run({ algorithm, parameters }))).toMatch(/sums over all devices are read.*(single row|occurs once)/);
  },
);

test("what is withheld from the result is said not to be withheld from the coordinator, and what has no room takes no part", () => {
  const parameters = { minimumCount: 5, largest: 100, maximumRows: 10_000 };
  const secure = guards(run({ algorithm: "kmeans", parameters }));
  expect(secure).toContain(
    "fewer than 5 rows of a round make up is left out of the result; the coordinator can read it",
  );
  expect(secure).toContain("only if its values lie within ±100 and its rows are at most 10,000");
  // In the clear neither is asked for room.
  expect(guards(run({ algorithm: "kmeans", secure: false, parameters }))).not.toContain("±100");
});

test("each algorithm's clipping is told as it works", () => {
  const clip = { clip: 0.05 };
  expect(guards(run({ parameters: clip }))).toContain("one weight's change counts up to 0.05, so");
  const nova = run({ algorithm: "fednova", parameters: { ...clip, epochs: 2, batchSize: 10 } });
  expect(guards(nova)).toMatch(/counts up to 0\.05 for each step of training, .* steps on average\.$/m);
  expect(guards(nova, 295)).toContain("yours are 60, which makes up to 3.");
  const whole = run({ algorithm: "fednova", parameters: { ...clip, epochs: 2, batchSize: "all" } });
  expect(guards(whole, 295)).toContain("yours are 2, which makes up to 0.1.");
  const scaffold = run({ algorithm: "scaffold", parameters: { clip: 0.5, controlClip: 1 } });
  expect(guards(scaffold)).toContain("up to 0.5, and the change in how its drift is to be corrected up to 1,");
  for (const algorithm of ["fedsgd", "cocoa"]) expect(guards(run({ algorithm }))).toContain("Nothing is clipped");
  // In the clear nothing is clipped, and nothing is said to be.
  expect(guards(run({ secure: false, parameters: clip }))).not.toContain("lipp");
});

test("what a device of FedNova and of k-means sends besides is told", () => {
  expect(leavesOf(run({ algorithm: "fednova" }))[0]).toMatch(/divided by its steps.*the examples times the steps/);
  const ranges = run({ algorithm: "kmeans", parameters: { init: { kind: "ranges" } } });
  expect(leavesOf(ranges)[1]).toMatch(/In the first round, for each column, how many of your values lie in each/);
});

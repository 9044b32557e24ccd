import { readFileSync } from "node:fs";
import { noTrainer, seededRandom } from "@tributary/algorithm";
import { Fold } from "@tributary/round";
import { denseDataset } from "@tributary/training";
import { expect, test } from "vitest";
import { featureMeans } from "../../examples/feature-means.ts";
import { specOf } from "../support/specs.ts";

const file = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), "utf8");

test("CONTRIBUTING shows the example as it is", () => {
  expect(file("CONTRIBUTING.md")).toContain(`\`\`\`ts\n${file("examples/feature-means.ts")}\`\`\``);
});

test("the example that CONTRIBUTING shows gives the mean over all devices", async () => {
  const spec = specOf();
  const { client, server, lanes } = featureMeans;
  const state = server.init(spec, new Float32Array(0));
  const fold = new Fold(lanes(spec, 2, state));
  const signal = new AbortController().signal;
  for (const rows of [
    [1, 10, 2, 20],
    [9, 90],
  ]) {
    const data = denseDataset({ features: Float64Array.from(rows), shape: [2] });
    const random = seededRandom(0, "");
    const input = {
      question: server.ask(state, spec),
      data,
      trainer: noTrainer,
      kept: undefined,
      lost: false,
      random,
      signal,
    };
    fold.add((await client.work(input)).contribution);
  }
  const stepped = server.step(state, fold.total(), spec);
  expect([...stepped.state.model]).toEqual([4, 40]);
  expect(stepped.metrics).toEqual({ examples: 3 });
});

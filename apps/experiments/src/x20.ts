import { noTrainer } from "@tributary/algorithm";
import { algorithmNamed, parseRunSpec } from "@tributary/catalog";
import { Fold } from "@tributary/round";
import { openData } from "@tributary/training/node";
import { type Experiment, type Outcome, sharedData, within } from "./experiment.ts";
import { runSums } from "./sums.ts";

/** Speaking roles with two lines or more, each a device; the last fifth of each role's lines is for testing. */
const clients = 268;
const text = (part: string) => ({
  source: `text:${sharedData}/tinyshakespeare/input.txt#${part}`,
  schema: { by: "role" as const, window: 1 },
});

export const x20: Experiment = {
  name: "x20",
  summary:
    "bigram counts over 268 speaking roles of Shakespeare by one secure sum: cross-entropy of what they say later",
  needs: ["tinyshakespeare"],
  async run(setting): Promise<Outcome> {
    const { dataset: test, data } = await openData(text("test"));
    const spec = {
      name: "X20",
      algorithm: { name: "bigrams", smoothing: 0.1, minimumCount: 1, maximumRows: 100_000 },
      data,
      cohort: { size: clients, minimum: clients, population: clients },
      deadlines: { joinMs: 300_000, trainMs: 300_000, stepMs: 300_000 },
      stop: { rounds: 1 },
    };
    const result = await runSums({ spec, deals: [{ source: text("train"), partition: "natural", clients }] }, setting);
    const run = parseRunSpec(spec);
    const { client, server, evaluationLanes } = algorithmNamed("bigrams");
    const question = server.ask({ model: result.model }, run);
    const fold = new Fold(evaluationLanes(run));
    fold.add(await client.evaluate({ question, data: test, trainer: noTrainer, signal: new AbortController().signal }));
    const { loss, accuracy } = server.judge(fold.total(), run);
    const examples = result.rounds[0]!["examples"]!;
    return {
      checks: [
        within("characters counted", examples, { atLeast: 817_229, atMost: 817_229, paper: "817229" }),
        within("characters tested", test.examples, { atLeast: 209_249, atMost: 209_249, paper: "209249" }),
        within("test cross-entropy, nats", loss!, { atLeast: 2.4151, atMost: 2.4161, paper: "2.4156" }),
        within("test accuracy", accuracy!, { atLeast: 0.2776, atMost: 0.2778, paper: ".2777" }),
      ],
      rounds: 1,
      bytesUp: result.bytesUp,
    };
  },
};

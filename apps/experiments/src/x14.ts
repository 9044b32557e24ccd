import { type Dataset, noTrainer } from "@tributary/algorithm";
import { algorithmNamed, parseRunSpec } from "@tributary/catalog";
import { Fold } from "@tributary/round";
import { openData } from "@tributary/training/node";
import { type Check, type Experiment, type Outcome, sharedData, within } from "./experiment.ts";
import { runSums, type SumResult } from "./sums.ts";

/** One row of shared/ALGORITHMS.md A.11: a setting, and the rounds to a gap of 1e-3 that another implementation took. */
interface Row {
  readonly variant: "cocoa" | "cocoa+";
  readonly clients: number;
  readonly rounds: { readonly atLeast: number; readonly atMost: number; readonly paper: string };
}
const rows: readonly Row[] = [
  { variant: "cocoa+", clients: 4, rounds: { atLeast: 1, atMost: 10, paper: "7" } },
  { variant: "cocoa+", clients: 8, rounds: { atLeast: 1, atMost: 12, paper: "8" } },
  { variant: "cocoa", clients: 4, rounds: { atLeast: 25, atMost: 50, paper: "35" } },
];
const lambda = 1e-3;
const a9a = (file: string, features = 123) => ({
  source: `libsvm:${sharedData}/a9a/${file}`,
  schema: { features },
});

/** The first round counts the rows, and a round's gap is that of the model it began from: two rounds come on top. */
const roundsToGap = ({ rounds }: SumResult, gap: number) => rounds.findIndex((metrics) => metrics["gap"]! <= gap) - 1;

export const x14: Experiment = {
  name: "x14",
  summary: "CoCoA and CoCoA+ on a9a, hinge loss, unit rows, λ = 1e-3: rounds to a duality gap of 1e-3 (Ma et al. 2015)",
  needs: ["a9a"],
  async run(setting): Promise<Outcome> {
    const checks: Check[] = [];
    const taken: number[] = [];
    let [rounds, bytesUp] = [0, 0];
    for (const row of rows) {
      const spec = specOf(
        { ...row, unitRows: true, largest: 1, maximumRows: 10_000 },
        { kind: "table", features: 123, rounds: 60, gap: 1e-3 },
      );
      const result = await runSums(
        { spec, deals: [{ source: a9a("a9a.gz"), partition: "iid", clients: row.clients }] },
        setting,
      );
      const last = result.rounds.at(-1)!;
      const name = `${row.variant}, K = ${row.clients}`;
      taken.push(roundsToGap(result, 1e-3));
      checks.push(within(`rounds to gap 1e-3, ${name}`, taken.at(-1)!, row.rounds));
      checks.push(within(`primal objective, ${name}`, last["primal"]!, { atLeast: 0.3878, atMost: 0.38879 }));
      const gaps = result.rounds.flatMap((metrics) => metrics["gap"] ?? []);
      checks.push(within(`smallest gap, ${name}`, Math.min(...gaps), { atLeast: 0 }));
      const { accuracy } = await judged(spec, result.model, (await openData(a9a("a9a.t.gz"))).dataset);
      checks.push(within(`test accuracy, ${name}`, accuracy!, { atLeast: 0.8415, atMost: 0.8475, paper: "0.8445" }));
      rounds += result.rounds.length;
      bytesUp += result.bytesUp;
    }
    checks.push(within("rounds of cocoa per round of cocoa+, K = 4", taken[2]! / taken[0]!, { atLeast: 3 }));
    return { checks, rounds, bytesUp };
  },
};

export const x14b: Experiment = {
  name: "x14b",
  summary:
    "CoCoA and CoCoA+ in their authors' demo setting: rcv1-small, 4 contiguous splits, λ = 1e-3, H = n/40, 100 rounds",
  needs: ["rcv1-small"],
  async run(setting): Promise<Outcome> {
    const checks: Check[] = [];
    let [rounds, bytesUp] = [0, 0];
    const data = (part: string) => ({
      source: `libsvm:${sharedData}/rcv1-small/small_${part}.dat.gz`,
      schema: { features: 9947 },
    });
    const test = (await openData(data("test"))).dataset;
    for (const variant of ["cocoa+", "cocoa"] as const) {
      const spec = specOf(
        { variant, clients: 4, passes: 0.1, largest: 1, maximumRows: 1_000 },
        { kind: "sparse", features: 9947, rounds: 102 },
      );
      const result = await runSums(
        { spec, deals: [{ source: data("train"), partition: "contiguous", clients: 4 }] },
        setting,
      );
      // After the round that counts, 100 of work, and one that says what gap they came to.
      const last = result.rounds.at(-1)!;
      const plus = variant === "cocoa+";
      const gap = plus
        ? { atLeast: 3.5e-3, atMost: 5.5e-3, paper: "4.4e-3" }
        : { atLeast: 1e-2, atMost: 1.3e-2, paper: "1.15e-2" };
      checks.push(within(`gap after 100 rounds, ${variant}`, last["gap"]!, gap));
      if (plus) {
        const { accuracy } = await judged(spec, result.model, test);
        checks.push(
          within("primal objective after 100 rounds", last["primal"]!, {
            atLeast: 0.1988,
            atMost: 0.2004,
            paper: ".1996",
          }),
        );
        checks.push(within("test error", 1 - accuracy!, { atMost: 0.03, paper: ".025" }));
      }
      rounds += result.rounds.length;
      bytesUp += result.bytesUp;
    }
    return { checks, rounds, bytesUp };
  },
};

function specOf(
  {
    clients,
    rounds: _,
    ...algorithm
  }: { variant: string; clients: number; rounds?: unknown } & Record<string, unknown>,
  stop: { kind: "table" | "sparse"; features: number; rounds: number; gap?: number },
) {
  return {
    name: `CoCoA, ${algorithm.variant}, K = ${clients}`,
    algorithm: { name: "cocoa", loss: "hinge", lambda, ...algorithm },
    data: { kind: stop.kind, shape: [stop.features], classes: 2 },
    cohort: { size: clients, minimum: clients, population: clients },
    deadlines: { joinMs: 120_000 },
    stop: {
      rounds: stop.rounds,
      ...(stop.gap === undefined ? {} : { target: { metric: "gap", atMost: stop.gap } }),
    },
  };
}

/** A model's figures on a set that no device has. */
async function judged(spec: Record<string, unknown>, model: Float64Array, data: Dataset) {
  const run = parseRunSpec(spec);
  const { client, server, evaluationLanes } = algorithmNamed("cocoa");
  const question = server.ask({ ...server.init(run, new Float32Array(0)), model }, run);
  const fold = new Fold(evaluationLanes(run));
  fold.add(await client.evaluate({ question, data, trainer: noTrainer, signal: new AbortController().signal }));
  return server.judge(fold.total(), run);
}

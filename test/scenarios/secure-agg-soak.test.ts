import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { seededRandom } from "@tributary/algorithm";
import { ProtocolError } from "@tributary/protocol";
import type { SecureLane } from "@tributary/secure-agg";
import { expect, test } from "vitest";
import { long } from "../support/long.ts";
import {
  type Phase,
  parametersFor,
  phases,
  plainSum,
  runFederation,
  TooFewAnswers,
} from "../support/secure-agg-federation.ts";

// `npm run test:long` plays the whole of it; every run plays a short one.
const [rounds, clients] = long ? [200, 100] : [8, 8];

test(
  `${rounds} rounds of ${clients} clients, up to 30 % leaving at any phase: exact or a typed end, and nothing piles up`,
  async () => {
    setFlagsFromString("--expose_gc");
    const collect = runInNewContext("gc") as () => void;
    const lanes: SecureLane[] = [{ name: "model", length: 200, encoding: { kind: "update", clip: 1, bits: 16 } }];
    const random = seededRandom(34, "soak");
    const heap: number[] = [];
    let sums = 0;
    for (let round = 0; round < rounds; round++) {
      const parameters = parametersFor(clients, lanes, { round, modelVersion: round });
      const leaving = random.uniform() * 0.3;
      const drops = new Map<Phase, Set<number>>(phases.map((phase) => [phase, new Set<number>()]));
      for (let client = 0; client < clients; client++) {
        if (random.uniform() < leaving) drops.get(phases[random.below(5)]!)!.add(client);
      }
      const contribution = (client: number) => ({ values: new Float64Array(200).fill(client / clients), weight: 80 });
      const plan = { parameters, contribution, seed: `soak ${round}`, drops: Object.fromEntries(drops) };
      try {
        const run = await runFederation(plan);
        expect(run.result.words).toEqual(plainSum(run, parameters.wordBits));
        sums++;
      } catch (end) {
        if (!(end instanceof ProtocolError || end instanceof TooFewAnswers)) throw end;
      }
      collect();
      heap.push(process.memoryUsage().heapUsed);
    }
    expect(sums).toBeGreaterThan(rounds / 4);
    // The second half needs no more than the first, but for what the engine itself still compiles.
    const half = heap.length / 2;
    const most = (part: number[]) => Math.max(...part);
    expect(most(heap.slice(half)) - most(heap.slice(0, half))).toBeLessThan(10_000_000);
  },
  long ? 7_200_000 : 60_000,
);

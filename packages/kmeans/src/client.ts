import {
  type ClientHalf,
  type Contribution,
  type Question,
  type Random,
  type Rows,
  rowsOf,
} from "@tributary/algorithm";
import { checkBounds, edgesOf, histograms } from "@tributary/statistics";
import { assignRows, clusterSums } from "./assign.ts";
import type { KMeansQuestion } from "./server.ts";

/**
 * The device's half: in an iteration, the sums, counts and inertia of its rows by nearest centre (Lloyd 1982); before the
 * first, what seeding needs. Nothing but these sums leaves.
 */
export const kMeansClient: ClientHalf = {
  async work({ question, data, random }) {
    const asked = settingsOf(question);
    const rows = await rowsOf(data, asked.width);
    checkBounds(rows, asked);
    return {
      contribution: { values: valuesFor(asked, rows, { question, random }), weight: rows.count },
      next: undefined,
    };
  },

  async evaluate({ question, data }): Promise<Contribution> {
    const { clusters, width } = settingsOf(question);
    const rows = await rowsOf(data, width);
    const into = clusterSums(new Float64Array(clusters * width + clusters + 1), clusters, width);
    assignRows(rows, centresOf(question), { into });
    return { values: Float64Array.of(rows.count, into.inertia[0]!), weight: rows.count };
  },
};

function valuesFor(
  asked: KMeansQuestion,
  rows: Rows,
  { question, random }: { question: Question; random: Random },
): Float64Array {
  const { clusters, width } = asked;
  switch (asked.phase) {
    case "ranges":
      return histograms(rows, () => edgesOf(asked.grid));
    case "sample": {
      const values = new Float64Array(clusters * width + clusters + 1);
      sampleRows(rows, asked.rows, { into: clusterSums(values, clusters, width), random });
      return values;
    }
    case "assign": {
      const values = new Float64Array(clusters * width + clusters + 1);
      const into = clusterSums(values, clusters, width);
      const some = asked.batchSize !== "all" && asked.batchSize < rows.count ? asked.batchSize : undefined;
      const batch = some === undefined ? {} : { positions: random.permutation(rows.count).subarray(0, some) };
      assignRows(rows, centresOf(question), { into, ...batch });
      return values;
    }
  }
}

/** Puts up to `each` random rows into every cluster, different ones as far as there are enough. Changes `into`. */
function sampleRows(
  { features, count, width }: Rows,
  each: number,
  { into: { sums, counts }, random }: { into: ReturnType<typeof clusterSums>; random: Random },
): void {
  const order = random.permutation(count);
  let next = 0;
  for (let cluster = 0; cluster < counts.length; cluster++) {
    const taken = Math.min(each, count);
    for (let i = 0; i < taken; i++, next++) {
      const at = order[next % count]! * width;
      for (let j = 0; j < width; j++) sums[cluster * width + j]! += features[at + j]!;
    }
    counts[cluster]! += taken;
  }
}

function settingsOf({ settings }: Question): KMeansQuestion {
  return settings as unknown as KMeansQuestion;
}

function centresOf({ vectors }: Question): Float64Array {
  return vectors["model"] as Float64Array;
}

import type { ClientHalf, Contribution, Question } from "@tributary/algorithm";
import { ProtocolError } from "@tributary/protocol";
import { losses } from "./losses.ts";
import { checkBounds, problemOf } from "./problem.ts";
import type { CocoaQuestion } from "./server.ts";
import { localSdca, sumsOver } from "./solve.ts";

/** What stays on the device: its dual variables, and which count of the rows they belong to. */
export type CocoaKept = { readonly alpha: Float64Array; readonly generation: number };

/**
 * The device's half. A device that is not counted yet says how many rows it has, and begins with α = 0; one whose duals
 * are lost says that, for their part of w can then be nobody's. Every other sends Δw and three sums for the certificate.
 */
export const cocoaClient: ClientHalf<CocoaKept> = {
  keeps: true,

  async work({ question, data, kept, lost, random }) {
    const asked = settingsOf(question);
    const problem = await problemOf(data, asked);
    checkBounds(problem, asked);
    const { count } = problem.rows;
    const { generation } = asked;
    if (lost || kept === undefined || kept.generation !== generation) {
      // After a loss the coordinator begins the next generation, in which these zeros count for nothing.
      const next = { alpha: new Float64Array(count), generation };
      const told = lost ? { lost: 1 } : { newRows: count, newDevices: 1 };
      return answer(count, new Float64Array(asked.width), told, next);
    }
    if (kept.alpha.length !== count) {
      const detail =
        "this device's rows are not those that it began the run with; leave the run, and join it with the same data";
      throw new ProtocolError("bad_data", detail);
    }
    const loss = losses[asked.loss];
    const model = modelOf(question);
    const sums = sumsOver(problem, loss, { model, alpha: kept.alpha, regression: asked.loss === "squared" });
    const solved = localSdca(problem, loss, {
      ...{ model, alpha: kept.alpha, random },
      sub: {
        sigma: asked.sigma,
        scale: asked.lambda * asked.rows,
        steps: Math.max(1, Math.round(asked.passes * count)),
      },
    });
    const alpha = asked.gamma === 1 ? solved.alpha : between(kept.alpha, solved.alpha, asked.gamma);
    return answer(count, solved.update, { rows: count, ...sums }, { alpha, generation });
  },

  async evaluate({ question, data }): Promise<Contribution> {
    const asked = settingsOf(question);
    const problem = await problemOf(data, asked);
    const at = { model: modelOf(question), regression: asked.loss === "squared" };
    const { lossSum, judged } = sumsOver(problem, losses[asked.loss], at);
    const { count } = problem.rows;
    return { values: Float64Array.of(count, lossSum, judged), weight: count };
  },
};

/** α + γΔα. */
function between(before: Float64Array, after: Float64Array, gamma: number): Float64Array {
  const alpha = new Float64Array(before.length);
  for (let i = 0; i < alpha.length; i++) alpha[i] = before[i]! + gamma * (after[i]! - before[i]!);
  return alpha;
}

/** The scalars after Δw, in the lanes' order. */
export const scalarLanes = ["rows", "lossSum", "dualSum", "judged", "newRows", "newDevices", "lost"] as const;

function answer(
  weight: number,
  update: Float64Array,
  scalars: Partial<Record<(typeof scalarLanes)[number], number>>,
  next: CocoaKept,
) {
  const values = new Float64Array(update.length + scalarLanes.length);
  values.set(update);
  scalarLanes.forEach((name, i) => {
    values[update.length + i] = scalars[name] ?? 0;
  });
  return { contribution: { values, weight }, next };
}

function settingsOf({ settings }: Question): CocoaQuestion {
  return settings as unknown as CocoaQuestion;
}

function modelOf({ vectors }: Question): Float64Array {
  return vectors["model"] as Float64Array;
}

import { logFactorial, lowerQuantile, upperQuantile } from "./hypergeometric.ts";

/**
 * `strict` resists a coordinator that deviates at will (§B.1's lemma); `curious` and `semi-malicious` are the rules of
 * Google's graph_parameter_finder.cc, for coordinators that follow the protocol, or lie about dropouts only.
 */
export type ThresholdRule = "strict" | "curious" | "semi-malicious";

/** What a graph is found for: at most `corrupt` of the clients collude (γ), at most `dropout` of them leave (δ). */
export interface GraphAim {
  readonly rule: ThresholdRule;
  readonly corrupt: number;
  readonly dropout: number;
  /** The adversary wins with probability below 2^−securityBits. */
  readonly securityBits: number;
  /** The round fails for want of shares with probability below 2^−correctnessBits. */
  readonly correctnessBits: number;
}

/** γ = 0.05, δ = 0.10; σ = 80 leaves 40 bits after a coordinator tried 2⁴⁰ rosters (§B.1, row 7). */
export const defaultAim: GraphAim = {
  rule: "strict",
  corrupt: 0.05,
  dropout: 0.1,
  securityBits: 80,
  correctnessBits: 30,
};

export interface Degree {
  readonly neighbours: number;
  readonly threshold: number;
}

// Keeps rounding errors of γ · n from lowering the bound; as in Google's finder.
const small = 1e-14;

/** The sparsest circulant graph on `clients` nodes for this aim, and its threshold; undefined where there is none. */
export function findDegree(clients: number, aim: GraphAim): Degree | undefined {
  const strain = aim.corrupt + aim.dropout * (aim.rule === "semi-malicious" ? 2 : 1);
  if (strain > 0.9) return undefined;
  for (let neighbours = 2; neighbours < clients - 1; neighbours += 2) {
    const threshold = smallestThreshold(clients, neighbours, aim);
    if (threshold !== undefined && threshold <= survivingNeighbours(clients, neighbours, aim)) {
      return { neighbours, threshold };
    }
  }
  return undefined;
}

/**
 * The smallest threshold that is safe on a circulant graph of this degree, whatever drops out; undefined where none is.
 * A device checks its session with this: it needs no trust in how the degree was found.
 */
export function smallestThreshold(clients: number, neighbours: number, aim: GraphAim): number | undefined {
  // Google's rules share the security budget between two events: a cut graph, and a neighbourhood with too many corrupt
  // clients. Under the strict rule no set of dropouts can cut off a part that can be unmasked, so there is only one.
  const events = aim.rule === "strict" ? 0 : 1;
  const logBudget = -(aim.securityBits + events) * Math.LN2;
  if (aim.rule !== "strict" && logCutProbability(clients, neighbours, aim) >= logBudget) return undefined;
  const law = { population: clients, marked: corruptClients(clients, aim), drawn: neighbours };
  const corruptNeighbours = upperQuantile(law, logBudget - Math.log(clients));
  switch (aim.rule) {
    case "strict":
      // §B.1's lemma: t > k/2 + c, and no proper part of the cohort can be unmasked.
      return Math.max(2, neighbours / 2 + corruptNeighbours + 1);
    case "semi-malicious":
      return Math.max(2, Math.ceil((corruptNeighbours + neighbours - 1.25) / 2) + 1);
    case "curious":
      return Math.max(2, corruptNeighbours + 1);
  }
}

/** How many neighbours every client keeps, but for 2^−correctnessBits. */
function survivingNeighbours(clients: number, neighbours: number, aim: GraphAim): number {
  const marked = Math.ceil((1 - aim.dropout - small) * clients);
  const logProbability = -aim.correctnessBits * Math.LN2 - Math.log(clients);
  return lowerQuantile({ population: clients, marked, drawn: neighbours }, logProbability);
}

function corruptClients(clients: number, aim: GraphAim): number {
  return Math.floor((aim.corrupt + small) * clients);
}

/** A bound on ln P[corrupt and dropped clients cut the ring in two]: k/2 in a row, in two places. */
function logCutProbability(clients: number, neighbours: number, aim: GraphAim): number {
  const bad = corruptClients(clients, aim) + Math.floor((aim.dropout + small) * clients);
  if (neighbours > bad) return Number.NEGATIVE_INFINITY;
  const pairs = Math.log(clients) + Math.log(clients - neighbours - 1) - Math.LN2;
  return (
    pairs +
    logFactorial(bad) +
    logFactorial(clients - neighbours) -
    logFactorial(clients) -
    logFactorial(bad - neighbours)
  );
}

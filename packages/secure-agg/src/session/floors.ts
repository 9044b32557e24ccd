import { ProtocolError } from "@tributary/protocol";
import { type GraphAim, smallestThreshold } from "../graph/degree.ts";
import { completeGraphLimit, completeThreshold, neighboursLimit } from "../graph/graph.ts";
import { checkHeadroom, wordsOf } from "./headroom.ts";
import type { SessionParameters } from "./parameters.ts";

/** What one device insists on, whatever the coordinator proposes. */
export interface Floors {
  /** The fewest devices that any sum with this one's part may have; `--min-cohort`. */
  readonly minimumSurvivors: number;
  /** `strict` refuses a session that only withstands an honest but curious coordinator. */
  readonly rule: "strict" | "curious";
  /** The share of corrupt clients that a graph must withstand. */
  readonly corrupt: number;
}

export const defaultFloors: Floors = { minimumSurvivors: 3, rule: "strict", corrupt: 0.05 };
/** Below this many clients, pages say: small cohort, the others together could work yours out. */
export const smallCohort = 8;
/** Below this many clients a sum hides nothing. */
export const smallestCohort = 3;

/** m's default: max(⌈n / 2⌉, 3). */
export function defaultMinimumSurvivors(clients: number): number {
  return Math.max(Math.ceil(clients / 2), smallestCohort);
}

/**
 * Both sides check the parameters by themselves. Throws `ProtocolError("secure_parameters")` for what no session may
 * have and `ProtocolError("secure_floor")` for what this device does not accept.
 */
export function checkParameters(parameters: SessionParameters, floors: Floors = defaultFloors): void {
  const { clients, graph, threshold, minimumSurvivors } = parameters;
  const { shard, weightLevels, weightCap } = parameters;
  if (clients < smallestCohort) bad(`a cohort of ${clients}: ${smallestCohort} or more hide one another`);
  if (!(shard.index < shard.count)) bad(`shard ${shard.index} of ${shard.count}`);
  if (graph.kind === "complete" && clients > completeGraphLimit) bad(`a complete graph of ${clients} clients`);
  if (graph.kind === "circulant") {
    const { neighbours } = graph;
    if (clients <= completeGraphLimit)
      bad(`a sparse graph of ${clients} clients: complete up to ${completeGraphLimit}`);
    if (neighbours % 2 !== 0 || neighbours > neighboursLimit || neighbours > clients - 2) {
      bad(`${neighbours} neighbours of ${clients} clients: an even number up to ${neighboursLimit}`);
    }
  }
  const holders = graph.kind === "complete" ? clients : graph.neighbours;
  if (threshold > holders) bad(`a threshold of ${threshold} with ${holders} shares`);
  if (!(weightLevels >= 1 && weightCap > 0 && Number.isFinite(weightCap))) bad("weights without levels or cap");
  checkLanes(parameters);
  checkHeadroom(parameters);
  if (parameters.rule === "curious" && floors.rule === "strict") {
    below("this session trusts the coordinator to follow the protocol; this device does not");
  }
  const m = Math.max(defaultMinimumSurvivors(clients), floors.minimumSurvivors);
  if (minimumSurvivors < m) below(`sums of ${minimumSurvivors} devices or more: this device wants at least ${m}`);
  if (minimumSurvivors > clients) below(`a cohort of ${clients} can never reach ${minimumSurvivors} devices`);
  checkThreshold(parameters, clients, floors);
}

/** Checks the threshold again for the roster that came about, which may be smaller than the cohort asked. */
export function checkThreshold(parameters: SessionParameters, members: number, floors: Floors): void {
  const needed = neededThreshold(parameters, members, floors);
  if (needed === undefined) below("the graph is too sparse to hold together");
  if (parameters.threshold >= needed) return;
  below(`a threshold of ${parameters.threshold} for ${members} clients: this device wants at least ${needed}`);
}

function neededThreshold(parameters: SessionParameters, members: number, floors: Floors): number | undefined {
  if (parameters.graph.kind === "complete") return completeThreshold(members);
  const securityBits = parameters.rule === "strict" ? 80 : 40;
  const aim: GraphAim = {
    rule: parameters.rule,
    corrupt: floors.corrupt,
    dropout: 0,
    securityBits,
    correctnessBits: 0,
  };
  return smallestThreshold(members, parameters.graph.neighbours, aim);
}

function checkLanes({ lanes }: SessionParameters): void {
  if (new Set(lanes.map(({ name }) => name)).size !== lanes.length) bad("two lanes with one name");
  const words = wordsOf(lanes);
  if (!(words >= 1 && words <= 2 ** 28)) bad(`${words} words: 1 … 2²⁸`);
  for (const { name, encoding } of lanes) {
    if (encoding.kind === "update" && !(encoding.clip > 0 && Number.isFinite(encoding.clip))) {
      bad(`lane ${name}: a clip of ${encoding.clip}`);
    }
    if (encoding.kind === "update" && !(encoding.bits >= 2 && encoding.bits <= 24)) {
      bad(`lane ${name}: ${encoding.bits} bits a value: 2 … 24`);
    }
    if (encoding.kind === "exact" && encoding.scaleBits > 46) bad(`lane ${name}: a scale of 2^${encoding.scaleBits}`);
  }
}

function bad(detail: string): never {
  throw new ProtocolError("secure_parameters", detail);
}

function below(detail: string): never {
  throw new ProtocolError("secure_floor", detail);
}

import { type AttemptKind, ProtocolError, type RunId, type RunSpec } from "@tributary/protocol";
import { defaultAim } from "../graph/degree.ts";
import { planGraph } from "../graph/graph.ts";
import { shardSizes } from "../graph/shards.ts";
import { checkParameters, defaultMinimumSurvivors, type Floors, smallestCohort } from "./floors.ts";
import { wordBitsNeeded } from "./headroom.ts";
import { type SecureLane, type SessionParameters, sessionVersion } from "./parameters.ts";

/** Which sum a session is for. `modelHash`: lower-case hexadecimal SHA-256 of the model's bytes; `taskHash`: `taskHashOf`. */
export interface SessionPurpose {
  readonly run: RunId;
  readonly round: number;
  readonly attempt: number;
  readonly kind: AttemptKind;
  readonly modelVersion: number;
  readonly modelHash: string;
  readonly taskHash: string;
  readonly lanes: readonly SecureLane[];
}

/**
 * The sessions of one attempt that asks `clients` clients: one, or a shard each for 256 to 500 of them. Throws
 * `ProtocolError("secure_parameters")` for a cohort or lanes that no session can have.
 */
export function planSessions(spec: RunSpec, clients: number, purpose: SessionPurpose): SessionParameters[] {
  const sizes = shardSizes(clients);
  return sizes.map((size, index) => planSession(spec, { size, index, count: sizes.length }, purpose));
}

function planSession(
  spec: RunSpec,
  shard: { size: number; index: number; count: number },
  purpose: SessionPurpose,
): SessionParameters {
  const { rule, weightLevels, weightCap, minimumSurvivors } = spec.secure;
  const { size: clients, index, count } = shard;
  const graph = planGraph(clients, { ...defaultAim, rule, securityBits: rule === "strict" ? 80 : 40 });
  if (graph === undefined) {
    throw new ProtocolError("secure_parameters", `no graph of ${clients} clients withstands what ${rule} asks for`);
  }
  const wordBits = Math.min(32, wordBitsNeeded({ clients, weightLevels, lanes: purpose.lanes }));
  const { trainMs, stepMs } = spec.deadlines;
  const parameters: SessionParameters = {
    version: sessionVersion,
    ...purpose,
    shard: { index, count },
    clients,
    graph: graph.shape,
    threshold: graph.threshold,
    rule,
    minimumSurvivors: Math.max(minimumSurvivors ?? 0, defaultMinimumSurvivors(clients)),
    wordBits,
    weightLevels,
    weightCap,
    prg: "chacha20",
    deadlines: { trainMs, stepMs },
  };
  checkParameters(parameters, floorsFor(rule));
  return parameters;
}

/** What a coordinator itself insists on: nothing beyond the rule that the specification names. */
export function floorsFor(rule: Floors["rule"]): Floors {
  return { minimumSurvivors: smallestCohort, rule, corrupt: defaultAim.corrupt };
}

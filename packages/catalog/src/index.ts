import type { Algorithm, ClientHalf } from "@tributary/algorithm";
import { fedAvg } from "@tributary/fedavg";
import { ProtocolError, parse, type RunId, type RunSpec, runSpecOf } from "@tributary/protocol";
import { defaultAim, planSessions, smallestCohort } from "@tributary/secure-agg";
import Type from "typebox";

/** Every algorithm there is. A new one is a folder under packages/ and a line here. */
const algorithms: readonly Algorithm[] = [fedAvg];

/** The schema of a run's specification, every algorithm's parameters in it. */
export const RunSpecSchema = runSpecOf(Type.Union(algorithms.map((algorithm) => algorithm.parameters)));

/** The algorithm that a RunSpec names. Throws `bad_spec` for a name that nothing here has. */
export function algorithmNamed(name: string): Algorithm {
  const found = algorithms.find((algorithm) => algorithm.name === name);
  if (found === undefined) {
    const known = algorithms.map((algorithm) => algorithm.name).join(", ");
    throw new ProtocolError("bad_spec", `algorithm.name: there is no algorithm "${name}" (known: ${known})`);
  }
  return found;
}

/** The device's half of an algorithm, by name. */
export function clientHalfNamed(name: string): ClientHalf {
  return algorithmNamed(name).client;
}

/**
 * A run's specification from unvalidated input, every default filled in. Throws `bad_spec` (or
 * `secure_aggregation_unavailable`) naming each field that is wrong and what was expected of it.
 */
export function parseRunSpec(input: unknown): RunSpec {
  const name = (input as { algorithm?: { name?: unknown } } | null)?.algorithm?.name;
  // The one algorithm's schema instead of the union's gives defaults and faults of that algorithm alone.
  const schema = typeof name === "string" ? runSpecOf(algorithmNamed(name).parameters) : RunSpecSchema;
  const parsed = parse(schema, input, { what: "run specification", code: "bad_spec" }) as RunSpec;
  const overSelect = parsed.cohort.overSelect ?? (parsed.secureAggregation === "none" ? 1.3 : 1);
  const spec = { ...parsed, cohort: { ...parsed.cohort, overSelect } };
  const faults = inconsistencies(spec);
  if (faults.length > 0) throw new ProtocolError("bad_spec", `run specification: ${faults.join("; ")}`);
  if (spec.secureAggregation === "required") checkSecure(spec, algorithmNamed(spec.algorithm.name));
  return spec;
}

/** Refuses what cannot be honoured, rather than running it in the clear. */
function checkSecure(spec: RunSpec, algorithm: Algorithm): void {
  const { cohort } = spec;
  const refuse = (detail: string) => {
    const mend = 'or combine updates in the clear by name with secureAggregation: "none"';
    throw new ProtocolError("secure_aggregation_unavailable", `${detail}; ${mend}`);
  };
  if (!algorithm.linear) refuse(`${algorithm.name} needs each update by itself, which secure aggregation hides`);
  if (cohort.minimum < smallestCohort) {
    refuse(`cohort.minimum: ${cohort.minimum} devices hide nothing from one another; take at least ${smallestCohort}`);
  }
  const overSelect = cohort.overSelect ?? 1;
  const most = 1 / (1 - defaultAim.dropout);
  if (overSelect > most + 1e-9) {
    refuse(`cohort.overSelect: ${overSelect} is more than ${most.toFixed(2)}, what the masks' graph withstands`);
  }
  const clients = Math.ceil((cohort.size ?? cohort.minimum) * overSelect - 1e-9);
  try {
    for (const kind of ["train", "evaluate"] as const) {
      const lanes = kind === "train" ? algorithm.lanes(spec, 1) : algorithm.evaluationLanes;
      planSessions(spec, clients, { ...anySession, kind, lanes });
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    refuse(error.message);
  }
}

/** A session of no run, to see whether there can be one. */
const anySession = {
  run: "run-00000000" as RunId,
  round: 1,
  attempt: 1,
  modelVersion: 0,
  modelHash: "00".repeat(32),
};

/** What a schema cannot say: fields that contradict each other. */
function inconsistencies({ cohort, stop }: RunSpec): string[] {
  const faults: string[] = [];
  const { size, fraction, minimum, goal, overSelect } = cohort;
  if ((size === undefined) === (fraction === undefined)) faults.push("cohort: give either size or fraction");
  if (size !== undefined && minimum > size) faults.push(`cohort.minimum: ${minimum} is more than cohort.size ${size}`);
  if (goal !== undefined && goal < minimum) faults.push(`cohort.goal: ${goal} is less than cohort.minimum ${minimum}`);
  if (goal !== undefined && size !== undefined && goal > Math.ceil(size * (overSelect ?? 1))) {
    faults.push(`cohort.goal: ${goal} is more than the ${Math.ceil(size * (overSelect ?? 1))} clients asked`);
  }
  const { target } = stop;
  if (target !== undefined && (target.atLeast === undefined) === (target.atMost === undefined)) {
    faults.push("stop.target: give either atLeast or atMost");
  }
  return faults;
}

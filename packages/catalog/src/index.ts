import type { Algorithm, ClientHalf } from "@tributary/algorithm";
import { fedAvg } from "@tributary/fedavg";
import { ProtocolError, parse, type RunSpec, runSpecOf } from "@tributary/protocol";
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
  if (spec.secureAggregation === "required") {
    throw new ProtocolError(
      "secure_aggregation_unavailable",
      'secureAggregation: "required" (the default) cannot be honoured by this version, and a run is never made plain ' +
        'silently; say secureAggregation: "none" to combine updates in the clear',
    );
  }
  return spec;
}

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

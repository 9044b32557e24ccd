import type { Algorithm, ClientHalf } from "@tributary/algorithm";
import { cocoa } from "@tributary/cocoa";
import { fedAvg, fedNova, fedProx, fedSgd, scaffold } from "@tributary/fedavg";
import { kMeans } from "@tributary/kmeans";
import { ProtocolError, parse, type RunId, type RunSpec, runSpecOf } from "@tributary/protocol";
import { defaultAim, planSessions, smallestCohort } from "@tributary/secure-agg";
import { bigrams, ridge, statistics } from "@tributary/statistics";
import Type from "typebox";

/** Every algorithm there is. A new one is a folder under packages/ and a line here. */
const algorithms: readonly Algorithm[] = [
  fedAvg,
  fedSgd,
  fedProx,
  fedNova,
  scaffold,
  cocoa,
  kMeans,
  ridge,
  statistics,
  bigrams,
];

/** The schema of a run's specification, every algorithm's parameters in it. */
export const RunSpecSchema = runSpecOf(Type.Union(algorithms.map((algorithm) => algorithm.parameters)));

/** The algorithm that a RunSpec names. Throws `bad_spec` for a name that nothing here has. */
export function algorithmNamed(name: string, among: readonly Algorithm[] = algorithms): Algorithm {
  const found = among.find((algorithm) => algorithm.name === name);
  if (found === undefined) {
    const known = among.map((algorithm) => algorithm.name).join(", ");
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
export function parseRunSpec(input: unknown, among: readonly Algorithm[] = algorithms): RunSpec {
  const name = (input as { algorithm?: { name?: unknown } } | null)?.algorithm?.name;
  const known = typeof name === "string" ? algorithmNamed(name, among) : undefined;
  // The one algorithm's schema instead of the union's gives defaults and faults of that algorithm alone.
  const schema = known === undefined ? RunSpecSchema : runSpecOf(known.parameters);
  // What an algorithm with a model of its own sums up each round says how good that model is.
  const filled = known?.ownModel ? { evaluation: { on: "nowhere" }, ...(input as object) } : input;
  const parsed = parse(schema, filled, { what: "run specification", code: "bad_spec" }) as RunSpec;
  const algorithm = algorithmNamed(parsed.algorithm.name, among);
  const overSelect = parsed.cohort.overSelect ?? (parsed.secureAggregation === "none" ? 1.3 : 1);
  const spec = { ...parsed, cohort: { ...parsed.cohort, overSelect } };
  const faults = [...inconsistencies(spec), ...modelFaults(spec, algorithm), ...(algorithm.faults?.(spec) ?? [])];
  if (faults.length > 0) throw new ProtocolError("bad_spec", `run specification: ${faults.join("; ")}`);
  if (spec.secureAggregation === "required") checkSecure(spec, algorithm);
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
      const lanes = kind === "train" ? algorithm.lanes(spec, 1) : algorithm.evaluationLanes(spec);
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
  taskHash: "00".repeat(32),
};

function modelFaults({ model }: RunSpec, { name, ownModel }: Algorithm): string[] {
  if (ownModel && model !== undefined) return [`model: ${name} trains no layers; leave it out`];
  return !ownModel && model === undefined
    ? [`model: missing; ${name} trains one, such as { "preset": "logistic" }`]
    : [];
}

/** What each kind of data must say, and what no other may. */
function kindFaults(data: RunSpec["data"]): string[] {
  const { kind, shape, target, classes, vocabulary, users, items, normalise } = data;
  const faults: string[] = [];
  const belongs = (name: "vocabulary" | "users" | "items", owner: string) => {
    if (kind === owner && data[name] === undefined) faults.push(`data.${name}: missing, which ${owner} needs`);
    if (kind !== owner && data[name] !== undefined)
      faults.push(`data.${name}: belongs to ${owner}; the data is ${kind}`);
  };
  belongs("vocabulary", "text");
  belongs("users", "ratings");
  belongs("items", "ratings");
  if (vocabulary !== undefined) {
    const characters = new Set(vocabulary).size;
    if (characters !== [...vocabulary].length) faults.push("data.vocabulary: a character is in it twice");
    if (!vocabulary.includes("\n")) faults.push("data.vocabulary: has no newline, which begins every text");
    if (classes !== characters) faults.push(`data.classes: expected the vocabulary's ${characters}, found ${classes}`);
  }
  if (
    kind === "ratings" &&
    users !== undefined &&
    items !== undefined &&
    (shape.join() !== "2" || target !== "number")
  ) {
    faults.push(`data: ratings have shape [2] and the target number, found [${shape.join()}] and ${target}`);
  }
  const width = shape.reduce((product, size) => product * size, 1);
  for (const [name, values] of Object.entries(normalise ?? {})) {
    if (values.length === 1 || values.length === width) continue;
    faults.push(`data.normalise.${name}: expected 1 or ${width} numbers, found ${values.length}`);
  }
  if (normalise !== undefined && (kind === "text" || kind === "ratings")) {
    faults.push(`data.normalise: ${kind} holds indices, not measurements`);
  }
  if (normalise?.deviation.some((deviation) => deviation < 0)) faults.push("data.normalise.deviation: below 0");
  return faults;
}

/** What a schema cannot say: fields that contradict each other. */
function inconsistencies({ cohort, data, stop }: RunSpec): string[] {
  const faults: string[] = [];
  if (data.target === "class" && data.classes < 2) {
    faults.push(`data.classes: expected at least 2 where the target is a class, found ${data.classes}`);
  }
  faults.push(...kindFaults(data));
  if (data.target !== "class" && data.classes > 0) {
    faults.push(`data.classes: expected 0 where the target is ${data.target}, found ${data.classes}`);
  }
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

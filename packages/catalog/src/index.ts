import { type Algorithm, type ClientHalf, lanesLength } from "@tributary/algorithm";
import { cocoa } from "@tributary/cocoa";
import { fedAvg, fedNova, fedProx, fedSgd, scaffold } from "@tributary/fedavg";
import { kMeans } from "@tributary/kmeans";
import { maximumWeights, ProtocolError, parse, type RunSpec, runSpecOf } from "@tributary/protocol";
import { bigrams, ridge, statistics } from "@tributary/statistics";
import Type, { type TSchema } from "typebox";
import { needed, noPlace } from "./belonging.ts";
import { inconsistencies } from "./consistency.ts";
import { checkSecure } from "./secure.ts";
import { type RoundTraffic, roundTraffic } from "./traffic.ts";

export type { RoundTraffic } from "./traffic.ts";

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

const anyParameters = Type.Union(algorithms.map((algorithm) => algorithm.parameters));

/** The schema of a run's specification, every algorithm's parameters in it. */
export const RunSpecSchema = runSpecOf(anyParameters);

/** What an algorithm with a model of its own sums up each round says how good that model is. */
const judgedNowhere = { on: "nowhere" } as const;
const schemaOfOwnModels = runSpecOf(anyParameters, judgedNowhere);

/** The same schema with the defaults of the algorithm that a draft names; a draft may be anything. */
export function runSpecSchemaFor(draft: unknown): TSchema {
  return algorithmIn(draft)?.ownModel ? schemaOfOwnModels : RunSpecSchema;
}

/** Paths of the parts that only some specifications have. */
export const conditionalParts: readonly string[] = Object.keys(noPlace);

/** Whether a draft, which may be anything, has a place for the part at a path. */
export function belongs(path: string, draft: unknown): boolean {
  const kind = (draft as { data?: { kind?: unknown } } | null)?.data?.kind;
  const known = typeof kind === "string" ? kind : undefined;
  return noPlace[path]?.({ algorithm: algorithmIn(draft), kind: known }) === undefined;
}

/** Whether a draft must have the part at a path though the schema would do without. */
export function isNeeded(path: string, draft: unknown): boolean {
  return needed.has(path) && belongs(path, draft);
}

function algorithmIn(draft: unknown): Algorithm | undefined {
  const name = nameIn(draft);
  return algorithms.find((algorithm) => algorithm.name === name);
}

const nameIn = (draft: unknown) => (draft as { algorithm?: { name?: unknown } } | null)?.algorithm?.name;

/** The algorithm that a RunSpec names. Throws `bad_spec` for a name that nothing here has. */
export function algorithmNamed(name: string, among: readonly Algorithm[] = algorithms): Algorithm {
  const found = among.find((algorithm) => algorithm.name === name);
  if (found === undefined) {
    const known = among.map((algorithm) => algorithm.name).join(", ");
    const detail = `there is no algorithm "${name}" (known: ${known})`;
    throw ProtocolError.naming("bad_spec", [{ path: "algorithm.name", detail }]);
  }
  return found;
}

/** What one device of a run sends and fetches in a round, for a model of `parameters` weights. */
export function trafficOfRound(spec: RunSpec, parameters: number): RoundTraffic {
  return roundTraffic(spec, algorithmNamed(spec.algorithm.name), parameters);
}

/** The device's half of an algorithm, by name. */
export function clientHalfNamed(name: string): ClientHalf {
  return algorithmNamed(name).client;
}

const what = "run specification";

/**
 * A run's specification from unvalidated input, every default filled in. Throws `bad_spec` (or
 * `secure_aggregation_unavailable`) naming each field that is wrong and what was expected of it.
 */
export function parseRunSpec(input: unknown, among: readonly Algorithm[] = algorithms): RunSpec {
  const name = nameIn(input);
  const known = typeof name === "string" ? algorithmNamed(name, among) : undefined;
  // The one algorithm's schema instead of the union's gives defaults and faults of that algorithm alone.
  const schema =
    known === undefined ? RunSpecSchema : runSpecOf(known.parameters, known.ownModel ? judgedNowhere : undefined);
  const parsed = parse(schema, input, { what, code: "bad_spec" }) as RunSpec;
  const algorithm = algorithmNamed(parsed.algorithm.name, among);
  const overSelect = parsed.cohort.overSelect ?? (parsed.secureAggregation === "none" ? 1.3 : 1);
  const spec = { ...parsed, cohort: { ...parsed.cohort, overSelect } };
  const faults = inconsistencies(spec, algorithm);
  if (faults.length > 0) throw ProtocolError.naming("bad_spec", faults, { what });
  if (spec.secureAggregation === "required") checkSecure(spec, algorithm);
  if (algorithm.ownModel) checkLength(spec, algorithm);
  return spec;
}

/** Refuses vectors that neither a device nor the coordinator can hold; those of layers are counted as they are built. */
function checkLength(spec: RunSpec, { name, lanes }: Algorithm): void {
  const length = lanesLength(lanes(spec, 0));
  if (length <= maximumWeights) return;
  const detail = `each device would answer ${name} with ${length} numbers; at most ${maximumWeights} are taken`;
  throw ProtocolError.naming("bad_spec", [{ path: "algorithm", detail }], { what });
}

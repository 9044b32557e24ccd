import type { Static, TSchema } from "typebox";
import { Settings } from "typebox/system";
import Value from "typebox/value";
import { type Fault, ProtocolError, type RefusalCode } from "./errors.ts";

/**
 * The value that an unvalidated input stands for under `schema`, defaults filled in. Throws `ProtocolError(code)` whose
 * detail lists every fault as `path: what was expected`; a member that the schema does not know is a fault.
 */
export function parse<Schema extends TSchema>(
  schema: Schema,
  input: unknown,
  options: { what: string; code?: RefusalCode },
): Static<Schema> {
  const value = withDefaults(schema, input);
  if (Value.Check(schema, value)) return value as Static<Schema>;
  throw ProtocolError.naming(options.code ?? "bad_request", describeFaults(schema, value), options);
}

/** The parts of a JSON schema that defaults depend on. */
interface Defaulting {
  readonly default?: unknown;
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, Defaulting>>;
  readonly anyOf?: readonly Defaulting[];
}

/**
 * A copy of `value` with the defaults that `schema` gives to what is absent. In a union the branch whose literals the
 * value has, or leaves to their defaults, is the one that counts; TypeBox's own Default leaves such a branch out until it validates without them.
 */
function withDefaults(schema: unknown, value: unknown): unknown {
  const node = schema as Defaulting;
  const given = value === undefined && node.default !== undefined ? node.default : value;
  const { properties } = node.anyOf?.find((branch) => hasLiterals(branch, given)) ?? node;
  if (properties === undefined || typeof given !== "object" || given === null || Array.isArray(given)) return given;
  const filled = Object.entries(properties).map(([name, property]) => {
    return [name, withDefaults(property, (given as Record<string, unknown>)[name])] as const;
  });
  return { ...given, ...Object.fromEntries(filled.filter(([, member]) => member !== undefined)) };
}

function hasLiterals(branch: Defaulting, value: unknown): boolean {
  const literals = Object.entries(branch.properties ?? {}).filter(([, { const: literal }]) => literal !== undefined);
  return (
    literals.length > 0 &&
    literals.every(([name, { const: literal, default: fallback }]) => {
      return ((value as Record<string, unknown> | null)?.[name] ?? fallback) === literal;
    })
  );
}

/** A fault as TypeBox tells of it. */
interface SchemaFault {
  readonly keyword: string;
  readonly schemaPath: string;
  readonly instancePath: string;
  readonly message: string;
  readonly params: Record<string, unknown>;
}

/** Each fault of `value` under `schema`, the deepest branch of a union first, at most eight. */
export function describeFaults(schema: TSchema, value: unknown): Fault[] {
  const faults = new Map<string, Fault>();
  for (const found of relevantFaults(allFaults(schema, value))) {
    for (const fault of describe(schema, value, found)) faults.set(JSON.stringify(fault), fault);
  }
  return [...faults.values()].slice(0, 8);
}

/** TypeBox stops at eight faults, which may all be of one branch of a union that was not meant. */
function allFaults(schema: TSchema, value: unknown): readonly SchemaFault[] {
  const { maxErrors } = Settings.Get();
  Settings.Set({ maxErrors: 256 });
  try {
    return Value.Errors(schema, value) as readonly SchemaFault[];
  } finally {
    Settings.Set({ maxErrors });
  }
}

/** Leaves out the branches of a union whose tag differs from the value's, and the union's own summary line. */
function relevantFaults(faults: readonly SchemaFault[]): readonly SchemaFault[] {
  const mismatched: string[] = [];
  const tags = new Set<string>();
  for (const fault of faults) {
    const branch = branchOf(fault);
    if (branch === undefined || fault.keyword !== "const") continue;
    mismatched.push(branch);
    tags.add(fault.instancePath);
  }
  // A branch that does not even know the tag which the value bears is none that was meant.
  for (const fault of faults) {
    const unknown = (fault.params["additionalProperties"] ?? []) as string[];
    const branch = branchOf(fault);
    if (branch !== undefined && unknown.some((name) => tags.has(`${fault.instancePath}/${name}`)))
      mismatched.push(branch);
  }
  const kept = faults.filter((fault) => !mismatched.some((branch) => `${fault.schemaPath}/`.startsWith(`${branch}/`)));
  const informative = kept.filter((fault) => fault.keyword !== "anyOf" && fault.keyword !== "boolean");
  if (informative.length > 0) return informative;
  const unions = kept.filter((fault) => fault.keyword === "anyOf");
  if (unions.length > 0) return unions;
  const [tag] = tags;
  const union = mismatched[0]?.replace(/\/anyOf\/\d+$/, "");
  if (tag === undefined || union === undefined) return faults;
  const instancePath = tag.slice(0, tag.lastIndexOf("/"));
  return [{ keyword: "anyOf", schemaPath: union, instancePath, message: "", params: {} }];
}

/** The innermost branch of a union in which a fault was found. */
function branchOf({ schemaPath }: SchemaFault): string | undefined {
  return /^(.*\/anyOf\/\d+)(?:\/|$)/.exec(schemaPath)?.[1];
}

function describe(schema: TSchema, value: unknown, fault: SchemaFault): Fault[] {
  const path = fault.instancePath.slice(1).replaceAll("/", ".");
  const member = (name: string) => (path === "" ? name : `${path}.${name}`);
  if (fault.keyword === "additionalProperties") {
    const unknown = fault.params["additionalProperties"] as string[];
    const known = Object.keys((resolve(schema, fault.schemaPath) as { properties?: object }).properties ?? {});
    return unknown.map((name) => ({ path: member(name), detail: `unknown field${suggest(name, known)}` }));
  }
  if (fault.keyword === "required") {
    const missing = fault.params["requiredProperties"] as string[];
    return missing.map((name) => ({ path: member(name), detail: "missing" }));
  }
  const found = show(resolve(value, fault.instancePath));
  if (fault.keyword === "anyOf") {
    const tags = unionTags(resolve(schema, fault.schemaPath));
    const expected = tags.length > 0 ? `one of ${tags.join(", ")}` : "of one of the documented forms";
    return [{ path, detail: `must be ${expected}, found ${found}` }];
  }
  return [{ path, detail: `${fault.message}, found ${found}` }];
}

/** The literal tags that tell the branches of a union apart: `name: "fedavg"`, `preset: "2nn"`, or the literals. */
function unionTags(union: unknown): string[] {
  const branches = (union as { anyOf?: { const?: unknown; properties?: Record<string, { const?: unknown }> }[] }).anyOf;
  return (branches ?? []).flatMap((branch) => {
    if (branch.const !== undefined) return [JSON.stringify(branch.const)];
    const tag = Object.entries(branch.properties ?? {}).find(([, property]) => property.const !== undefined);
    return tag === undefined ? [] : [`{ ${tag[0]}: ${JSON.stringify(tag[1].const)}, … }`];
  });
}

function resolve(schema: unknown, pointer: string): unknown {
  return pointer
    .replace(/^#\/?/, "")
    .split("/")
    .filter((part) => part !== "")
    .reduce<unknown>((node, part) => (node as Record<string, unknown> | undefined)?.[part], schema);
}

function show(value: unknown): string {
  const text = written(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function written(value: unknown): string {
  try {
    return JSON.stringify(value) ?? "nothing";
  } catch {
    return "something nested too deep to show";
  }
}

function suggest(name: string, known: readonly string[]): string {
  const near = known.map((candidate) => [distance(name, candidate), candidate] as const).sort((a, b) => a[0] - b[0])[0];
  if (near !== undefined && near[0] <= 2) return ` (did you mean ${near[1]}?)`;
  return known.length > 0 ? ` (known: ${known.join(", ")})` : "";
}

/** Levenshtein's edit distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}

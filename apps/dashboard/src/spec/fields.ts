import { type Leaf, leafOf } from "./leaf.ts";
import type { SchemaNode } from "./schema-node.ts";

/** One field of the form, or a group of them. `path` is as the coordinator names it: `cohort.minimum`. */
export type Field =
  | Leaf
  | Variants
  | { readonly kind: "group"; readonly path: string; readonly fields: readonly Field[] };

/** A union of objects; `chosen` is the one that the value is, undefined where it is none. */
export interface Variants {
  readonly kind: "variants";
  readonly path: string;
  /** The path of what tells them apart. */
  readonly tag: string;
  readonly options: readonly Variant[];
  readonly chosen: Variant | undefined;
  readonly isOptional: boolean;
  readonly fields: readonly Field[];
}

/** One branch of a union of objects: what it is called, what a value of it begins as, its other members' defaults. */
export interface Variant {
  readonly label: string;
  readonly start: Readonly<Record<string, unknown>>;
  readonly defaults: Readonly<Record<string, unknown>>;
}

/** The field that edits `value` under `schema`; of a union the branch that the value is. */
export function fieldOf(path: string, schema: SchemaNode, value: unknown, isOptional = false): Field {
  if (isUnion(schema)) return variantsOf(path, schema, value, isOptional);
  if (schema.properties !== undefined && Object.keys(schema.properties).length > 0) {
    return { kind: "group", path, fields: membersOf(path, schema, value) };
  }
  return leafOf(path, schema, isOptional);
}

const isUnion = ({ anyOf }: SchemaNode) => anyOf?.every((branch) => branch.properties !== undefined) === true;

function membersOf(path: string, schema: SchemaNode, value: unknown): Field[] {
  return Object.entries(schema.properties ?? {})
    .filter(([, property]) => property.const === undefined)
    .map(([name, property]) => {
      const isOptional = schema.required?.includes(name) !== true;
      return fieldOf(path === "" ? name : `${path}.${name}`, property, memberOf(value, name), isOptional);
    });
}

function variantsOf(path: string, schema: SchemaNode, value: unknown, isOptional: boolean): Variants {
  const branches = schema.anyOf ?? [];
  const options = branches.map(variantOf);
  const branch = branchOf(schema, value);
  return {
    kind: "variants",
    path,
    tag: `${path}.${Object.keys(options[0]?.start ?? {})[0]}`,
    options,
    chosen: branch === undefined ? undefined : options[branches.indexOf(branch)],
    isOptional,
    fields: branch === undefined ? [] : membersOf(path, branch, value),
  };
}

/** A branch is known by its literals; one that has none by its first member. */
function variantOf(branch: SchemaNode): Variant {
  const { properties = {} } = branch;
  const [first = ""] = Object.keys(properties);
  const start = startOf(branch);
  const defaults = Object.entries(properties)
    .filter(([, property]) => property.const === undefined)
    .map(([name, property]) => [name, property.default] as const);
  return { label: String(Object.values(start)[0] ?? first), start, defaults: Object.fromEntries(defaults) };
}

function startOf({ properties = {} }: SchemaNode): Record<string, unknown> {
  const literals = Object.entries(properties).filter(([, property]) => property.const !== undefined);
  return Object.fromEntries(literals.map(([name, property]) => [name, property.const]));
}

/** The branch of a union that a value, or else the union's default, is by its literals. */
function branchOf(schema: SchemaNode, value: unknown): SchemaNode | undefined {
  const given = value === undefined ? schema.default : value;
  if (!isObject(given)) return undefined;
  return schema.anyOf?.find(({ properties = {} }) => {
    const literals = Object.entries(properties).filter(([, property]) => property.const !== undefined);
    if (literals.length === 0) return Object.keys(properties)[0]! in given;
    return literals.every(([name, property]) => (given[name] ?? property.default) === property.const);
  });
}

/** The value at a path; undefined where there is none. */
export function valueAt(draft: unknown, path: string): unknown {
  return parts(path).reduce<unknown>(memberOf, draft);
}

/**
 * A copy of the draft with another value at a path of its schema; undefined takes it away. A union's branch gets the literals
 * that it is known by, and an object that may be left out goes with the last of its members.
 */
export function withValue(
  schema: SchemaNode,
  draft: unknown,
  { path, value }: { path: string; value: unknown },
): unknown {
  return put(schema, draft, { parts: parts(path), value });
}

function put(schema: SchemaNode, before: unknown, at: { parts: readonly string[]; value: unknown }): unknown {
  const [name, ...rest] = at.parts;
  if (name === undefined) return at.value;
  const node = isUnion(schema) ? (branchOf(schema, before) ?? {}) : schema;
  const property = node.properties?.[name] ?? {};
  const after = put(property, memberOf(before, name), { parts: rest, value: at.value });
  const mayGo = property.default !== undefined || node.required?.includes(name) !== true;
  const isGone = after === undefined || (at.value === undefined && mayGo && isEmpty(after));
  const literals = Object.entries(startOf(node)).filter(([literal]) => memberOf(before, literal) === undefined);
  // In their old places, so that the JSON does not jump about.
  const members = { ...Object.fromEntries(literals), ...(isObject(before) ? before : {}), [name]: after };
  return Object.fromEntries(Object.entries(members).filter(([member]) => member !== name || !isGone));
}

function memberOf(value: unknown, name: string): unknown {
  return isObject(value) ? value[name] : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const isEmpty = (value: unknown) => isObject(value) && Object.keys(value).length === 0;
const parts = (path: string) => (path === "" ? [] : path.split("."));

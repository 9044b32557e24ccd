/** The parts of a JSON schema that a form is made of. */
export interface SchemaNode {
  readonly type?: string;
  readonly const?: unknown;
  readonly default?: unknown;
  readonly anyOf?: readonly SchemaNode[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
}

/** One field of the form, or a group of them. `path` is as the coordinator names it: `cohort.minimum`. */
export type Field =
  | { readonly kind: "group"; readonly path: string; readonly fields: readonly Field[] }
  | {
      readonly kind: "variants";
      readonly path: string;
      readonly options: readonly Variant[];
      readonly chosen: Variant;
      readonly fields: readonly Field[];
    }
  | {
      readonly kind: "choice";
      readonly path: string;
      readonly options: readonly string[];
      readonly isOptional: boolean;
      readonly default: unknown;
    }
  | {
      readonly kind: "number" | "word" | "numbers" | "words" | "json";
      readonly path: string;
      readonly isOptional: boolean;
      readonly default: unknown;
    };

/** One branch of a union of objects: what it is called, and what a value of it begins as. */
interface Variant {
  readonly label: string;
  readonly start: Readonly<Record<string, unknown>>;
}

/** The field that edits `value` under `schema`; of a union the branch that the value has. */
export function fieldOf(path: string, schema: SchemaNode, value: unknown, isOptional = false): Field {
  const leaf = { path, isOptional, default: schema.default };
  if (schema.anyOf !== undefined) {
    const { anyOf } = schema;
    if (anyOf.every((branch) => branch.const !== undefined)) {
      return { kind: "choice", options: anyOf.map((branch) => String(branch.const)), ...leaf };
    }
    return anyOf.every((branch) => branch.properties !== undefined)
      ? variantsOf(path, anyOf, value ?? schema.default)
      : { kind: "word", ...leaf };
  }
  if (schema.properties !== undefined && Object.keys(schema.properties).length > 0) {
    return { kind: "group", path, fields: membersOf(path, schema, value) };
  }
  if (schema.type === "array") {
    const items = (schema as { items?: SchemaNode }).items?.type;
    return { kind: items === "string" ? "words" : "numbers", ...leaf };
  }
  if (schema.type === "object") return { kind: "json", ...leaf };
  return { kind: schema.type === "string" ? "word" : "number", ...leaf };
}

function membersOf(path: string, schema: SchemaNode, value: unknown): Field[] {
  const member = (name: string) => (value as Record<string, unknown> | undefined)?.[name];
  return Object.entries(schema.properties ?? {})
    .filter(([, property]) => property.const === undefined)
    .map(([name, property]) => {
      const isOptional = schema.required?.includes(name) !== true;
      return fieldOf(path === "" ? name : `${path}.${name}`, property, member(name), isOptional);
    });
}

function variantsOf(path: string, branches: readonly SchemaNode[], value: unknown): Field {
  const options = branches.map(variantOf);
  const given = (value ?? {}) as Record<string, unknown>;
  const fits = ({ start }: Variant) =>
    Object.entries(start).every(([name, literal]) =>
      typeof literal === "object" ? name in given : given[name] === literal,
    );
  const found = options.findIndex(fits);
  const index = Math.max(0, found);
  return {
    kind: "variants",
    path,
    options,
    chosen: options[index]!,
    fields: membersOf(path, branches[index]!, value),
  };
}

/** A branch is known by its literals; one that has none by its first member. */
function variantOf({ properties = {} }: SchemaNode): Variant {
  const literals = Object.entries(properties).flatMap(([name, property]) =>
    property.const === undefined ? [] : [[name, property.const] as const],
  );
  const first = Object.keys(properties)[0] ?? "";
  return literals.length > 0
    ? { label: String(literals[0]![1]), start: Object.fromEntries(literals) }
    : { label: first, start: { [first]: {} } };
}

/** The value at a path; undefined where there is none. */
export function valueAt(draft: unknown, path: string): unknown {
  return parts(path).reduce<unknown>((node, name) => (node as Record<string, unknown> | undefined)?.[name], draft);
}

/** A copy of the draft with another value at a path; undefined takes it away. */
export function withValue(draft: unknown, path: string, value: unknown): unknown {
  const [name, ...rest] = parts(path);
  if (name === undefined) return value;
  const isObject = typeof draft === "object" && draft !== null && !Array.isArray(draft);
  const { [name]: before, ...others } = (isObject ? draft : {}) as Record<string, unknown>;
  const inner = rest.length === 0 ? value : withValue(before, rest.join("."), value);
  // A group whose last member goes away goes too: an empty one would ask for what nobody wants to give.
  const after = value === undefined && isEmpty(inner) ? undefined : inner;
  if (after === undefined) return others;
  // In its old place, so that the JSON does not jump about.
  return isObject && name in draft ? { ...draft, [name]: after } : { ...others, [name]: after };
}

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

function parts(path: string): string[] {
  return path === "" ? [] : path.split(".");
}

/** What was typed as the value that it is meant to be: what is no number stays text, for the schema to refuse. */
export function typed(kind: Exclude<Field["kind"], "group" | "variants">, text: string): unknown {
  const trimmed = text.trim();
  if (trimmed === "") return undefined;
  switch (kind) {
    case "number":
      return numberOr(trimmed);
    case "word":
      return text;
    case "choice":
      return trimmed;
    case "numbers":
      return listOf(trimmed).map(numberOr);
    case "words":
      return listOf(trimmed);
    case "json":
      try {
        return JSON.parse(trimmed);
      } catch {
        return trimmed;
      }
  }
}

function listOf(text: string): string[] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

function numberOr(text: string): number | string {
  const value = Number(text);
  return Number.isFinite(value) ? value : text;
}

/** A value as it is written into its field. */
export function written(value: unknown): string {
  if (value === undefined) return "";
  if (Array.isArray(value)) return value.join(", ");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

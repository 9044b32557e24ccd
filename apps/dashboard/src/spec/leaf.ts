import type { SchemaNode } from "./schema-node.ts";

type Kind =
  | { readonly kind: "choice"; readonly options: readonly unknown[] }
  /** `words` may stand where the number does. */
  | { readonly kind: "number"; readonly words: readonly string[] }
  /** `names`: how many there are, or their names. `text`: longer than a line. */
  | { readonly kind: "line" | "text" | "numbers" | "words" | "names" | "json" };

/** A field that a value is typed into or chosen in. */
export type Leaf = Kind & { readonly path: string; readonly isOptional: boolean; readonly default: unknown };

/** The field for a schema that is no group of members. */
export function leafOf(path: string, schema: SchemaNode, isOptional: boolean): Leaf {
  return { path, isOptional, default: schema.default, ...kindOf(schema) };
}

const longestLine = 1_000;

function kindOf(schema: SchemaNode): Kind {
  const { type, anyOf = [], items, maxLength = 0 } = schema;
  const literals = anyOf.map((branch) => branch.const).filter((literal) => literal !== undefined);
  const others = anyOf.filter((branch) => branch.const === undefined);
  if (others.length === 1 && isNumber(others[0]!)) return { kind: "number", words: literals.map(String) };
  if (literals.length > 0 && others.length === 0) return { kind: "choice", options: literals };
  if (others.length === 2 && isNumber(others[0]!) && others[1]!.items?.type === "string") return { kind: "names" };
  if (type === "boolean") return { kind: "choice", options: [true, false] };
  if (isNumber(schema)) return { kind: "number", words: [] };
  if (type === "string") return { kind: maxLength > longestLine ? "text" : "line" };
  if (type === "array" && items?.type === "string") return { kind: "words" };
  if (type === "array" && isNumber(items ?? {})) return { kind: "numbers" };
  return { kind: "json" };
}

const isNumber = ({ type }: SchemaNode) => type === "number" || type === "integer";

/** What was typed as the value that it is meant to be; what is none stays text, for the schema to refuse. */
export function typed(leaf: Leaf, text: string): unknown {
  const trimmed = text.trim();
  switch (leaf.kind) {
    case "choice":
      return leaf.options.find((option) => String(option) === text);
    case "line":
    case "text":
      return text === "" ? undefined : text;
    case "number":
      return trimmed === "" ? undefined : numberOr(trimmed);
    case "numbers":
      return listOf(trimmed, numberOr);
    case "words":
      return listOf(trimmed, unquoted);
    case "names": {
      const count = numberOr(trimmed);
      return typeof count === "number" && trimmed !== "" ? count : listOf(trimmed, unquoted);
    }
    case "json":
      return trimmed === "" ? undefined : (parsed(trimmed) ?? text);
  }
}

/**
 * A value as it is written into its field: as JSON where it could not be told from another, or is none for this field. Law
 * for every other: `typed(leaf, written(leaf, value))` is the value, or nothing where that stands for it by default.
 */
export function written(leaf: Leaf, value: unknown): string {
  if (value === undefined) return "";
  const plain = plainly(leaf, value);
  return isSame(typed(leaf, plain) ?? leaf.default, value) ? plain : JSON.stringify(value);
}

function plainly({ kind }: Leaf, value: unknown): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value) && kind !== "json") return value.map(quoted).join(", ");
  return JSON.stringify(value, null, kind === "json" && !Array.isArray(value) ? 2 : 0);
}

/** Whether two values are written alike as JSON. */
export function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Items between commas, or a list in JSON as it stands; undefined where there is none. */
function listOf(text: string, itemOf: (item: string) => unknown): unknown[] | undefined {
  const list = text.startsWith("[") ? parsed(text) : undefined;
  if (Array.isArray(list)) return list;
  const items = text.match(/\s*"(?:[^"\\]|\\.)*"\s*(?=,|$)|[^,]+/g) ?? [];
  const found = items.map((item) => item.trim()).filter((item) => item !== "");
  return found.length === 0 ? undefined : found.map(itemOf);
}

/** An item of a list, in quotes where it would not come back as it is. */
function quoted(item: unknown): string {
  return typeof item === "string" && !/^$|^["\s]|\s$|[,\p{Cc}]/u.test(item) ? item : JSON.stringify(item);
}

function unquoted(item: string): string {
  const string = item.startsWith('"') ? parsed(item) : undefined;
  return typeof string === "string" ? string : item;
}

function numberOr(text: string): number | string {
  const value = Number(text);
  return Number.isFinite(value) ? value : text;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

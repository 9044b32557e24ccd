import { badData } from "../data/bad-data.ts";
import type { CsvSchema } from "../data/csv-schema.ts";

/** What files do not say of themselves, whatever their kind; each kind of source knows some of it. */
export interface SourceOptions extends CsvSchema {
  /** Text: see TextSchema. */
  readonly window?: number;
  readonly by?: "line" | "role";
  readonly vocabulary?: string;
  /** Images: HEIGHTxWIDTHxCHANNELS. */
  readonly size?: string;
  /** LIBSVM: how many features rows have. */
  readonly features?: number;
}

/** A source of data taken apart: `KIND[:PATH][?NAME=VALUE&…][#train|#test]`. */
export interface Source {
  readonly kind: string;
  readonly path: string;
  readonly options: SourceOptions | undefined;
  /** `test` is every fifth example, beginning with the first; `train` all others. */
  readonly part: "train" | "test" | undefined;
}

/** How each option is written in a source, and which kinds of source know it. */
const table = {
  target: { kinds: ["csv"], form: "text" },
  targetKind: { kinds: ["csv", "libsvm"], form: ["class", "number"] },
  ignore: { kinds: ["csv"], form: "list" },
  categorical: { kinds: ["csv"], form: "list" },
  categories: { kinds: ["csv"], form: "lists" },
  classes: { kinds: ["csv", "libsvm", "images"], form: "list" },
  missing: { kinds: ["csv"], form: ["refuse", "skip", "mean"] },
  group: { kinds: ["csv"], form: "text" },
  header: { kinds: ["csv"], form: "boolean" },
  features: { kinds: ["libsvm"], form: "count" },
  window: { kinds: ["text"], form: "count" },
  by: { kinds: ["text"], form: ["line", "role"] },
  vocabulary: { kinds: ["text"], form: "text" },
  size: { kinds: ["images"], form: "text" },
} as const satisfies Record<keyof SourceOptions, { kinds: readonly string[]; form: string | readonly string[] }>;

type Name = keyof typeof table;
type Form = (typeof table)[Name]["form"];
const names = Object.keys(table) as Name[];

/** Parses a source. Throws `bad_data` for a query that its kind of source does not know. */
export function parseSource(text: string): Source {
  const [, body = text, part] = /^(.*)#(train|test)$/s.exec(text) ?? [];
  const [, address = body, query] = /^(.*)\?([A-Za-z]+=.*)$/s.exec(body) ?? [];
  const colon = address.indexOf(":");
  return {
    kind: colon < 0 ? address : address.slice(0, colon),
    path: colon < 0 ? "" : address.slice(colon + 1),
    options: query === undefined ? undefined : fromQuery(query, text),
    part: part as Source["part"],
  };
}

/** The query that stands for options in a source; empty where there are none. */
export function sourceQuery(options: SourceOptions): string {
  const query = new URLSearchParams();
  for (const name of names) {
    const value = options[name];
    if (value === undefined || (Array.isArray(value) && value.length === 0)) continue;
    if (table[name].form === "lists")
      badData(`"${name}" cannot be written in a source; name a JSON file with --schema`);
    query.set(name, String(value));
  }
  return query.size === 0 ? "" : `?${query}`;
}

/** The options that parsed JSON stands for; `where` names it in errors. */
export function checkOptions(given: unknown, where: string): SourceOptions {
  if (typeof given !== "object" || given === null || Array.isArray(given)) badData(`${where} must hold an object`);
  for (const [name, value] of Object.entries(given)) {
    const { form } = table[knownName(name, where)];
    if (!fits(value, form))
      badData(`${where}: "${name}" must be ${describeForm(form)}; found ${JSON.stringify(value)}`);
  }
  return given;
}

/** Throws `bad_data` for an option that this kind of source does not know. */
export function checkKind(kind: string, options: SourceOptions, source: string): void {
  for (const name of Object.keys(options) as Name[]) {
    const { kinds } = table[name];
    if (options[name] === undefined || (kinds as readonly string[]).includes(kind)) continue;
    const own = names.filter((other) => (table[other].kinds as readonly string[]).includes(kind));
    const known = own.length === 0 ? "has no options" : `has ${own.join(", ")}`;
    badData(`${source}: "${name}" belongs to ${kinds.join(" and ")}; ${kind} ${known}`);
  }
}

function fromQuery(text: string, source: string): SourceOptions {
  const query = new URLSearchParams(text);
  const options: Record<string, unknown> = {};
  for (const [name, written] of query) {
    const { form } = table[knownName(name, source)];
    options[name] = parsed(written, form);
  }
  return checkOptions(options, source);
}

function knownName(name: string, where: string): Name {
  return (
    names.find((known) => known === name) ??
    badData(`${where}: there is no option "${name}"; known are ${names.join(", ")}`)
  );
}

function parsed(written: string, form: Form): unknown {
  switch (form) {
    case "list":
      return written.split(",").filter((part) => part !== "");
    case "count":
      return Number(written);
    case "boolean":
      return written === "true" ? true : written === "false" ? false : written;
    default:
      return written;
  }
}

const isText = (value: unknown) => typeof value === "string";
const isList = (value: unknown) => Array.isArray(value) && value.every(isText);

function fits(value: unknown, form: Form): boolean {
  switch (form) {
    case "text":
      return isText(value) && value !== "";
    case "list":
      return isList(value);
    case "lists":
      return typeof value === "object" && value !== null && Object.values(value).every(isList);
    case "count":
      return Number.isSafeInteger(value) && (value as number) >= 1;
    case "boolean":
      return typeof value === "boolean";
    default:
      return (form as readonly unknown[]).includes(value);
  }
}

function describeForm(form: Form): string {
  switch (form) {
    case "text":
      return "a name";
    case "list":
      return "a list of names";
    case "lists":
      return "an object of lists of names";
    case "count":
      return "a whole number from 1";
    case "boolean":
      return "true or false";
    default:
      return `one of ${(form as readonly string[]).join(", ")}`;
  }
}

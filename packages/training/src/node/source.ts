import { ProtocolError } from "@tributary/protocol";
import type { CsvSchema } from "../data/csv.ts";

/** A source of data taken apart: `KIND[:PATH][?target=COL&ignore=A,B&categorical=C][#train|#test]`. */
export interface Source {
  readonly kind: string;
  readonly path: string;
  readonly schema: CsvSchema | undefined;
  /** `test` is every fifth example, beginning with the first; `train` all others. */
  readonly part: "train" | "test" | undefined;
}

/** Parses a source. Throws `bad_data` for a query that is not a table's schema. */
export function parseSource(text: string): Source {
  const [, body = text, part] = /^(.*)#(train|test)$/s.exec(text) ?? [];
  const [, address = body, query] = /^(.*)\?([a-z]+=.*)$/s.exec(body) ?? [];
  const colon = address.indexOf(":");
  return {
    kind: colon < 0 ? address : address.slice(0, colon),
    path: colon < 0 ? "" : address.slice(colon + 1),
    schema: query === undefined ? undefined : schemaFrom(query, text),
    part: part as Source["part"],
  };
}

/** The query that stands for a schema in a source. */
export function schemaQuery({ target, ignore = [], categorical = [] }: CsvSchema): string {
  const query = new URLSearchParams({ target });
  if (ignore.length > 0) query.set("ignore", ignore.join());
  if (categorical.length > 0) query.set("categorical", categorical.join());
  return `?${query}`;
}

function schemaFrom(text: string, source: string): CsvSchema {
  const query = new URLSearchParams(text);
  const unknown = [...query.keys()].find((name) => !["target", "ignore", "categorical"].includes(name));
  const target = query.get("target");
  if (unknown !== undefined || target === null) {
    const found = unknown === undefined ? "no target" : `"${unknown}"`;
    throw new ProtocolError(
      "bad_data",
      `${source}: a schema in a source has target, ignore, categorical; found ${found}`,
    );
  }
  const list = (name: string) => (query.get(name) ?? "").split(",").filter((part) => part !== "");
  return { target, ignore: list("ignore"), categorical: list("categorical") };
}

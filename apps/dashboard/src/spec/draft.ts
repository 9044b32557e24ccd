import { belongs, conditionalParts } from "@tributary/catalog";
import { type Variant, type Variants, valueAt, withValue } from "./fields.ts";
import { firstModel } from "./first-draft.ts";
import { schemaFor } from "./form.ts";
import { isSame } from "./leaf.ts";

/** A specification that is being written, and what was written of it that it has no place for just now. */
export interface Draft {
  readonly spec: unknown;
  /** Members of unions' other branches, by the union's path. */
  readonly unchosen: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Parts that belong to another algorithm or kind of data, by path. */
  readonly misplaced: Readonly<Record<string, unknown>>;
}

export const draftOf = (spec: unknown): Draft => ({ spec, unchosen: {}, misplaced: {} });

/** The draft with another value at a path; undefined takes it away. What thereby loses its place waits to get it back. */
export function changed(draft: Draft, path: string, value: unknown): Draft {
  const before = draft.spec;
  let spec = withValue(schemaFor(before), before, { path, value });
  const misplaced = { ...draft.misplaced };
  for (const part of conditionalParts) {
    const held = valueAt(spec, part);
    if (belongs(part, before) && !belongs(part, spec)) {
      misplaced[part] = held;
      spec = withValue(schemaFor(spec), spec, { path: part, value: undefined });
    } else if (!belongs(part, before) && belongs(part, spec) && held === undefined) {
      const kept = misplaced[part] ?? (part === "model" ? firstModel : undefined);
      spec = withValue(schemaFor(spec), spec, { path: part, value: kept });
    }
  }
  return { ...draft, spec, misplaced };
}

/**
 * The draft with another branch of a union, or none. Members that both know go along unless they are at the old branch's
 * defaults, and so do those that were written while yet another was chosen.
 */
export function chosen(draft: Draft, { path, chosen: left }: Variants, variant: Variant | undefined): Draft {
  const known = left?.defaults ?? {};
  const members = Object.entries((valueAt(draft.spec, path) ?? {}) as object);
  const isOwn = (name: string, value: unknown) => name in known && !isSame(value, known[name]);
  const own = members.filter(([name, value]) => left === undefined || isOwn(name, value));
  const others = Object.entries(draft.unchosen[path] ?? {}).filter(([name]) => !(name in known));
  const kept = Object.fromEntries([...others, ...own]);
  const fitting = Object.entries(kept).filter(([name]) => variant !== undefined && name in variant.defaults);
  const value = variant === undefined ? undefined : { ...variant.start, ...Object.fromEntries(fitting) };
  return changed({ ...draft, unchosen: { ...draft.unchosen, [path]: kept } }, path, value);
}

import type { Names } from "@tributary/protocol";

/** The index of a name; undefined for one that is not among them. */
export function indexIn(names: Names): (name: string) => number | undefined {
  if (typeof names !== "number") {
    const places = new Map(names.map((name, place) => [name, place]));
    return (name) => places.get(name);
  }
  return (name) => {
    const index = /^\d+$/.test(name) ? Number(name) : names;
    return index < names ? index : undefined;
  };
}

/** The names that occur, as a run's specification has them: their number if all are small whole numbers. */
export function namesOf(found: ReadonlySet<string>): Names {
  const numbers = [...found].map((name) => (/^\d+$/.test(name) ? Number(name) : Number.NaN));
  const most = numbers.reduce((a, b) => Math.max(a, b), 0);
  // Numbers that are no indices (phone numbers, say) would ask for rows that nobody has.
  if (numbers.every(Number.isInteger) && most < Math.max(1_000, 20 * found.size)) return most + 1;
  return [...found].sort();
}

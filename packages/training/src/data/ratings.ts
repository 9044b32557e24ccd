import type { Dataset } from "@tributary/algorithm";
import type { Names } from "@tributary/protocol";
import { badData } from "./bad-data.ts";
import { csvRecords } from "./csv-records.ts";
import { inOneGo, type Steps, visitInSteps } from "./in-steps.ts";
import { indexIn, namesOf } from "./names.ts";

export interface RatingsTable {
  /** Features: the indices of user and item; the target: the rating. */
  readonly dataset: Dataset;
  /** Each rating's user. */
  readonly groups: Int32Array;
  readonly users: Names;
  readonly items: Names;
}

/**
 * Reads ratings, `user,item,rating` a line (further columns are left out); a first line whose third value is no number
 * names the columns. Throws `ProtocolError("bad_data")` that names line and column.
 */
export function readRatings(text: string): RatingsTable {
  return inOneGo(readRatingsInSteps(text));
}

/** `readRatings`, step by step. */
export function* readRatingsInSteps(text: string): Steps<RatingsTable> {
  const [userOfRow, itemOfRow, ratings]: [string[], string[], number[]] = [[], [], []];
  let head: number | undefined;
  yield* visitInSteps(csvRecords(text), { pass: 1, length: text.length }, ({ record, line }) => {
    const [user = "", item = "", rating = ""] = record.map((value) => value.trim());
    if (head === undefined) {
      head = line;
      if (Number.isNaN(Number(record[2] || Number.NaN))) return;
    }
    for (const [column, value] of Object.entries({ user, item, rating })) {
      if (value === "") badData(`Line ${line} has no ${column}; user,item,rating is wanted`);
    }
    if (!Number.isFinite(Math.fround(Number(rating)))) badData(`Line ${line}, column 3 is "${rating}", not a rating`);
    userOfRow.push(user);
    itemOfRow.push(item);
    ratings.push(Number(rating));
  });
  if (head === undefined) badData("There are no ratings; lines of the form user,item,rating are wanted");
  if (ratings.length === 0) badData(`There are no ratings after line ${head}`);
  const names = { users: namesOf(new Set(userOfRow)), items: namesOf(new Set(itemOfRow)) };
  yield 0.75;
  const indices = (values: readonly string[], of: Names) => {
    const index = indexIn(of);
    return Int32Array.from(values, (name) => index(name)!);
  };
  const [userOf, itemOf] = [indices(userOfRow, names.users), indices(itemOfRow, names.items)];
  const dataset: Dataset = {
    examples: ratings.length,
    shape: [2],
    classes: 0,
    target: "number",
    batch(positions, features, targets) {
      positions.forEach((position, row) => {
        features[2 * row] = userOf[position]!;
        features[2 * row + 1] = itemOf[position]!;
        targets[row] = ratings[position]!;
      });
    },
  };
  return { dataset, groups: userOf, ...names };
}

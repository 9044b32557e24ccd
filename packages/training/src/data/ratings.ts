import type { Dataset } from "@tributary/algorithm";
import type { Names } from "@tributary/protocol";
import { badData } from "./bad-data.ts";
import { csvRecords } from "./csv-records.ts";
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
  const all = [...csvRecords(text)];
  const [head] = all;
  if (head === undefined) badData("There are no ratings; lines of the form user,item,rating are wanted");
  const rows = Number.isNaN(Number(head.record[2] || Number.NaN)) ? all.slice(1) : all;
  if (rows.length === 0) badData(`There are no ratings after line ${head.line}`);
  const [users, items] = [new Set<string>(), new Set<string>()];
  const ratings = Float64Array.from(rows, ({ record, line }) => {
    const [user = "", item = "", rating = ""] = record.map((value) => value.trim());
    for (const [column, value] of Object.entries({ user, item, rating })) {
      if (value === "") badData(`Line ${line} has no ${column}; user,item,rating is wanted`);
    }
    if (!Number.isFinite(Math.fround(Number(rating)))) badData(`Line ${line}, column 3 is "${rating}", not a rating`);
    users.add(user);
    items.add(item);
    return Number(rating);
  });
  const names = { users: namesOf(users), items: namesOf(items) };
  const indices = (column: number, of: Names) => {
    const index = indexIn(of);
    return Int32Array.from(rows, ({ record }) => index(record[column]!.trim())!);
  };
  const [userOf, itemOf] = [indices(0, names.users), indices(1, names.items)];
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

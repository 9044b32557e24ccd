import type { Dataset, Features, Targets } from "@tributary/algorithm";
import { countOf, type DataSpec, type Names, ProtocolError } from "@tributary/protocol";
import { checkFits } from "../examples.ts";
import { indexIn } from "./names.ts";
import { normalised } from "./normalised.ts";

/**
 * A device's data as a run asks for it: characters, users and items by the run's own indices, features normalised by the
 * run's own figures. Throws `ProtocolError("data_mismatch")` that says what was found and what the run asks for.
 */
export function fitData(found: { readonly dataset: Dataset; readonly data: DataSpec }, asked: DataSpec): Dataset {
  checkFits(found.data, asked);
  const dataset = recoded(found.dataset, found.data, asked);
  return asked.normalise === undefined ? dataset : normalised(dataset, asked.normalise);
}

function recoded(dataset: Dataset, found: DataSpec, asked: DataSpec): Dataset {
  if (asked.kind === "text" && found.vocabulary !== asked.vocabulary) {
    const codes = codesBetween([...(found.vocabulary ?? "")], [...(asked.vocabulary ?? "")], "character");
    return changed(dataset, asked.classes, (features, targets) => {
      recode(features, codes);
      recode(targets, codes);
    });
  }
  if (asked.kind === "ratings") {
    const codes = (["users", "items"] as const).map((side) =>
      codesBetween(found[side]!, asked[side]!, side.slice(0, -1)),
    );
    return changed(dataset, 0, (features) => {
      for (let i = 0; i < features.length; i++) features[i] = codeOf(codes[i % 2]!, features[i]!);
    });
  }
  return dataset;
}

/** From an index among names to the index of the same name among others. */
type Codes = { readonly count: number } | Int32Array;

function codesBetween(found: Names | readonly string[], asked: Names | readonly string[], what: string): Codes {
  if (typeof found === "number" && typeof asked === "number") return { count: asked };
  const index = indexIn(asked as Names);
  const names = typeof found === "number" ? Array.from({ length: found }, (_, i) => `${i}`) : found;
  return Int32Array.from(names, (name) => {
    const code = index(name);
    // Where data says only how many there are, not each of them occurs.
    if (code !== undefined || typeof found === "number") return code ?? -1;
    throw new ProtocolError(
      "data_mismatch",
      `the ${what} ${JSON.stringify(name)} was found, which is not among the run's ${countOf(asked as Names)}.`,
    );
  });
}

function recode(values: Features | Targets, codes: Codes): void {
  for (let i = 0; i < values.length; i++) values[i] = codeOf(codes, values[i]!);
}

function codeOf(codes: Codes, value: number): number {
  const code = codes instanceof Int32Array ? codes[value] : value < codes.count ? value : undefined;
  if (code !== undefined && code >= 0) return code;
  throw new ProtocolError("data_mismatch", `number ${value} was found in ratings, which is not among the run's.`);
}

/** A dataset whose batches are changed where they were written. */
function changed(dataset: Dataset, classes: number, change: (features: Features, targets: Targets) => void): Dataset {
  const { examples, shape, target } = dataset;
  const width = shape.reduce((product, size) => product * size, 1);
  return {
    examples,
    shape,
    classes,
    ...(target === undefined ? {} : { target }),
    batch(positions, features, targets) {
      const finish = () =>
        change(features.subarray(0, positions.length * width), targets.subarray(0, positions.length));
      const pending = dataset.batch(positions, features, targets);
      return pending === undefined ? finish() : pending.then(finish);
    },
  };
}

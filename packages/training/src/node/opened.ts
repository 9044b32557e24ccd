import { type Dataset, targetOf } from "@tributary/algorithm";
import type { DataSpec } from "@tributary/protocol";
import { describeTarget } from "../examples.ts";

/** Data that was opened: the examples, their description for a run's specification, and one line about them. */
export interface OpenedData {
  readonly dataset: Dataset;
  readonly data: DataSpec;
  readonly describe: string;
  /** Each example's class, for partitions; undefined where there are no classes. */
  readonly labels: ArrayLike<number> | undefined;
  /** Whose each example is (a speaker's, a user's), for the partition `natural`; undefined where the data does not say. */
  readonly groups?: ArrayLike<number> | undefined;
  /** Which examples `#test` takes; default: every fifth, beginning with the first. */
  readonly isTest?: (row: number) => boolean;
}

/** What a reader found, described. */
export function opened(
  kind: DataSpec["kind"],
  dataset: Dataset,
  about: { labels?: ArrayLike<number> | undefined; groups?: ArrayLike<number> | undefined; name: string },
): OpenedData {
  const { labels, groups, name } = about;
  const data = { kind, shape: [...dataset.shape], target: targetOf(dataset), classes: dataset.classes };
  const size = `${dataset.examples} examples of ${dataset.shape.join("×")}, ${describeTarget(dataset)}`;
  return { dataset, data, labels, groups, describe: `${name}: ${size}` };
}

/** The first of a list of names. */
export const shortened = (names: readonly string[]) =>
  names.length <= 8 ? names.join(", ") : `${names.slice(0, 8).join(", ")} and ${names.length - 8} more`;

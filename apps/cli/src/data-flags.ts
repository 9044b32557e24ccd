import type { Dataset } from "@tributary/algorithm";
import type { DataSpec } from "@tributary/protocol";
import { engineNames, parsePartition, partition, subset } from "@tributary/training";
import { openData, type SourceOptions } from "@tributary/training/node";
import { type Command, Option } from "commander";
import { UsageError } from "./exit.ts";
import { integer, list } from "./flags.ts";

export interface DataFlags {
  readonly data: string;
  readonly examples?: number;
  readonly schema?: string;
  readonly target?: string;
  readonly targetKind?: "class" | "number";
  readonly ignore: readonly string[];
  readonly categorical: readonly string[];
  readonly classes: readonly string[];
  readonly missing?: "refuse" | "skip" | "mean";
  readonly group?: string;
  /** False for a file without a line of names. */
  readonly header: boolean;
  readonly features?: number;
  readonly window?: number;
  readonly by?: "line" | "role";
  readonly size?: string;
  readonly partition: string;
  readonly seed: number;
}

/** Adds the flags that say which data there is and how it is dealt to devices; the same for every command. */
export function withDataFlags(command: Command): Command {
  return command
    .option(
      "--data <source>",
      "digits | mnist:DIR | csv:FILE | libsvm:FILE | images:DIR | text:FILE | ratings:FILE (digits-test, mnist-test:DIR for held-out sets)",
      "digits",
    )
    .option("--examples <n>", "how many examples the built-in generator draws", integer(1, 10_000_000))
    .option("--schema <file.json>", "a JSON file that says what the following flags say, and a table's categories")
    .option("--target <column>", "a CSV file's target column; none where there is nothing to predict")
    .addOption(new Option("--target-kind <kind>", "what the target is").choices(["class", "number"]))
    .option("--ignore <columns>", "CSV columns to leave out, separated by commas", list, [])
    .option("--categorical <columns>", "CSV columns to one-hot encode, separated by commas", list, [])
    .option("--classes <labels>", "all of the target's values, in order, where devices may not hold each", list, [])
    .addOption(
      new Option("--missing <rule>", "a CSV row without a value: refuse it, skip it, or take the file's mean").choices([
        "refuse",
        "skip",
        "mean",
      ]),
    )
    .option("--group <column>", "a CSV column that says whose a row is, for --partition natural")
    .option("--no-header", "a CSV file without a line of names: its columns are 1, 2, 3 …")
    .option("--features <n>", "how many features a LIBSVM file's rows have", integer(1, 1_000_000))
    .option("--size <HxWxC>", "images: height, width and channels (1 or 3); default: as the first image has them")
    .option("--window <n>", "text: how many characters the next one is to be told from", integer(1, 100_000))
    .addOption(new Option("--by <unit>", "text: whose it is, for --partition natural").choices(["line", "role"]))
    .option(
      "--partition <how>",
      "contiguous | iid | natural | sorted | shards:S | dirichlet:A | dominant:K: how examples are dealt to devices",
      "contiguous",
    )
    .option("--seed <n>", "fixes the generator and the partition", integer(0), 0);
}

/** The flags that describe the data, as another process takes them. */
export function dataArguments(flags: DataFlags): string[] {
  const { data, partition: how, seed, examples, schema, header } = flags;
  const { header: _, ...options } = sourceOptions(flags);
  return [
    ...["--data", data, "--partition", how, "--seed", `${seed}`],
    ...(examples === undefined ? [] : ["--examples", `${examples}`]),
    ...(schema === undefined ? [] : ["--schema", schema]),
    ...Object.entries(options).flatMap(([name, value]) => [`--${kebab(name)}`, String(value)]),
    ...(header ? [] : ["--no-header"]),
  ];
}

const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** What the flags say of a file. */
export function sourceOptions(flags: DataFlags): SourceOptions {
  const { target, targetKind, ignore, categorical, classes, missing, group, header, features, window, by, size } =
    flags;
  const lists = Object.entries({ ignore, categorical, classes }).filter(([, names]) => names.length > 0);
  const given = Object.entries({
    target,
    targetKind,
    missing,
    group,
    features,
    window,
    by,
    size,
    header: header ? undefined : false,
  });
  return Object.fromEntries([...lists, ...given.filter(([, value]) => value !== undefined)]);
}

/** The flag that takes the choice of an engine from `tributary`. */
export const engineFlag = (what = "force an engine") =>
  new Option("--engine <engine>", `${what}: ${engineNames.join(", ")}`);

/** Which devices of how many: `3/10` is the third of ten, `1-25/100` the first 25 of a hundred. */
export interface Shard {
  readonly first: number;
  readonly last: number;
  readonly of: number;
}

/** Parses `--shard`. */
export function parseShard(text: string): Shard {
  const parts = /^(\d+)(?:-(\d+))?\/(\d+)$/.exec(text);
  const first = Number(parts?.[1]);
  const last = Number(parts?.[2] ?? parts?.[1]);
  const of = Number(parts?.[3]);
  if (parts === null || first < 1 || last < first || of < last) {
    throw new UsageError(`--shard ${text}: expected I/N or I-J/N with 1 ≤ I ≤ J ≤ N, such as 3/10 or 1-25/100`);
  }
  return { first, last, of };
}

export interface OpenShards {
  /** One dataset for each device of the shard, with its number (from 1). */
  readonly devices: readonly { readonly number: number; readonly dataset: Dataset }[];
  /** All of the data, dealt or not, in its own order. */
  readonly whole: Dataset;
  readonly data: DataSpec;
  /** What was opened, in words. */
  readonly describe: string;
}

/** Opens the data that the flags name and deals out the devices of `shard`. */
export async function openShards(flags: DataFlags, shard: Shard): Promise<OpenShards> {
  parsePartition(flags.partition);
  const { dataset, data, describe, labels, groups } = await openData(openOptions(flags));
  const parts = partition(flags.partition, labels ?? dataset.examples, {
    clients: shard.of,
    random: flags.seed,
    groups,
  });
  const devices = [];
  for (let number = shard.first; number <= shard.last; number++) {
    devices.push({ number, dataset: subset(dataset, parts[number - 1]!) });
  }
  return { devices, whole: dataset, data, describe };
}

/** The flags as the data readers take them. */
export function openOptions(flags: DataFlags) {
  const { data: source, examples, schema, seed } = flags;
  const options = sourceOptions(flags);
  const [also] = Object.keys(options);
  if (schema !== undefined && also !== undefined) throw new UsageError(`give either --schema or --${kebab(also)}`);
  return { source, seed, ...(examples === undefined ? {} : { examples }), schema: schema ?? options };
}

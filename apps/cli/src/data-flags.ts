import type { Dataset } from "@tributary/algorithm";
import type { DataSpec } from "@tributary/protocol";
import { parsePartition, partition, subset } from "@tributary/training";
import { openData } from "@tributary/training/node";
import type { Command } from "commander";
import { UsageError } from "./exit.ts";
import { integer, list } from "./flags.ts";

export interface DataFlags {
  readonly data: string;
  readonly examples?: number;
  readonly schema?: string;
  readonly target?: string;
  readonly ignore: readonly string[];
  readonly categorical: readonly string[];
  readonly partition: string;
  readonly seed: number;
}

/** Adds the flags that say which data there is and how it is dealt to devices; the same for every command. */
export function withDataFlags(command: Command): Command {
  return command
    .option(
      "--data <source>",
      "digits | mnist:DIR | csv:FILE (digits-test and mnist-test:DIR for held-out sets)",
      "digits",
    )
    .option("--examples <n>", "how many examples the built-in generator draws", integer(1, 10_000_000))
    .option("--schema <file.json>", "a CSV file's schema: { target, ignore, categorical, classes }")
    .option("--target <column>", "a CSV file's target column")
    .option("--ignore <columns>", "CSV columns to leave out, separated by commas", list, [])
    .option("--categorical <columns>", "CSV columns to one-hot encode, separated by commas", list, [])
    .option(
      "--partition <how>",
      "contiguous | iid | sorted | shards:S | dirichlet:A | dominant:K: how examples are dealt to devices",
      "contiguous",
    )
    .option("--seed <n>", "fixes the generator and the partition", integer(0), 0);
}

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
  readonly data: DataSpec;
  /** What was opened, in words. */
  readonly describe: string;
}

/** Opens the data that the flags name and deals out the devices of `shard`. */
export async function openShards(flags: DataFlags, shard: Shard): Promise<OpenShards> {
  parsePartition(flags.partition);
  const { dataset, data, describe, labels } = await openData(openOptions(flags));
  const parts = partition(flags.partition, labels, { clients: shard.of, random: flags.seed });
  const devices = [];
  for (let number = shard.first; number <= shard.last; number++) {
    devices.push({ number, dataset: subset(dataset, parts[number - 1]!) });
  }
  return { devices, data, describe };
}

/** The flags as the data readers take them. */
export function openOptions(flags: DataFlags) {
  const { data: source, examples, schema, target, ignore, categorical, seed } = flags;
  if (schema !== undefined && target !== undefined) throw new UsageError("give either --schema or --target");
  return {
    source,
    seed,
    ...(examples === undefined ? {} : { examples }),
    ...(schema === undefined ? {} : { schema }),
    ...(target === undefined ? {} : { schema: { target, ignore: [...ignore], categorical: [...categorical] } }),
  };
}

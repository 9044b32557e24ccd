import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Dataset } from "@tributary/algorithm";
import { type DataSpec, ProtocolError } from "@tributary/protocol";
import { type CsvSchema, readCsv } from "../data/csv.ts";
import { subset } from "../data/dense-dataset.ts";
import { digits } from "../data/digits.ts";
import { gunzipped, readMnist } from "../data/idx.ts";
import { parseSource } from "./source.ts";

/** Data that was opened: the examples, their description for a run's specification, and one line about them. */
export interface OpenedData {
  readonly dataset: Dataset;
  readonly data: DataSpec;
  readonly describe: string;
  /** Each example's class, for partitions. */
  readonly labels: ArrayLike<number>;
}

export interface OpenDataOptions {
  /**
   * `digits`, `digits-test`, `mnist:DIR`, `mnist-test:DIR` or `csv:FILE`; a table's schema may follow as
   * `?target=COL&ignore=A,B&categorical=C`, and `#test` (every fifth example) or `#train` (the others) takes a part.
   */
  readonly source: string;
  /** How many digits to draw; default 10,000, and 2,000 for `digits-test`. */
  readonly examples?: number | undefined;
  /** Of the digits; default 0. */
  readonly seed?: number | undefined;
  /** What a table's columns mean, or the path of a JSON file that says so. `csv:` needs it. */
  readonly schema?: CsvSchema | string | undefined;
}

const sources = "digits, digits-test, mnist:DIR, mnist-test:DIR, csv:FILE (also .csv.gz), each with #train or #test";

/**
 * Opens data by its name on the command line. Rejects with `ProtocolError("bad_data")` that names the path and what is
 * wanted there.
 */
export async function openData(options: OpenDataOptions): Promise<OpenedData> {
  const { kind, path, schema, part } = parseSource(options.source);
  const whole = await openWhole(kind, path, schema === undefined ? options : { ...options, schema });
  return part === undefined ? whole : partOf(whole, part);
}

async function openWhole(kind: string, path: string, options: OpenDataOptions): Promise<OpenedData> {
  switch (kind) {
    case "digits":
    case "digits-test":
      if (path !== "") break;
      return openDigits(kind === "digits" ? "train" : "test", options);
    case "mnist":
    case "mnist-test":
      if (path === "") break;
      return openMnist(path, kind === "mnist" ? "train" : "t10k");
    case "csv":
      if (path === "") break;
      return openCsv(path, options.schema);
    default:
  }
  return refuse(`"${options.source}" is not a source of data; there are ${sources}`);
}

/** Every fifth example, beginning with the first, is for tests; the others are for training. */
function partOf(whole: OpenedData, part: "train" | "test"): OpenedData {
  const all = Array.from({ length: whole.dataset.examples }, (_, row) => row);
  const rows = Uint32Array.from(all.filter((row) => (row % 5 === 0) === (part === "test")));
  if (rows.length === 0) refuse(`${whole.describe}: no example is left for #${part}`);
  return {
    ...whole,
    dataset: subset(whole.dataset, rows),
    labels: Array.from(rows, (row) => whole.labels[row]!),
    describe: `${whole.describe}; ${rows.length} of them for ${part === "test" ? "testing" : "training"}`,
  };
}

function openDigits(split: "train" | "test", { examples, seed = 0 }: OpenDataOptions): OpenedData {
  const count = examples ?? (split === "train" ? 10_000 : 2_000);
  if (!Number.isSafeInteger(count) || count < 1 || count > 1_000_000) {
    refuse(`${count} digits were asked for; between 1 and 1000000 can be drawn`);
  }
  const dataset = digits({ count, seed, split });
  return opened("images", dataset, { labels: dataset.labels, name: `built-in digits (${split}, seed ${seed})` });
}

async function openMnist(folder: string, prefix: "train" | "t10k"): Promise<OpenedData> {
  const [images, labels] = await Promise.all([
    readEither(join(folder, `${prefix}-images-idx3-ubyte`)),
    readEither(join(folder, `${prefix}-labels-idx1-ubyte`)),
  ]);
  const dataset = await within(folder, () => readMnist({ images, labels }));
  return opened("images", dataset, { labels: dataset.labels, name: `MNIST, ${folder}` });
}

async function openCsv(path: string, given: OpenDataOptions["schema"]): Promise<OpenedData> {
  if (given === undefined) {
    refuse(`${path} needs a schema that says at least which column is the target: a JSON file or the column's name`);
  }
  const schema = typeof given === "string" ? await readSchema(given) : given;
  const bytes = await read(path);
  const table = await within(path, () =>
    readCsv(new TextDecoder("utf-8", { ignoreBOM: true }).decode(gunzipped(bytes, "The file")), schema),
  );
  return opened("table", table.dataset, {
    labels: table.labels,
    name: `${path}, features ${shortened(table.features)}, classes ${shortened(table.classes)}`,
  });
}

async function readSchema(path: string): Promise<CsvSchema> {
  const text = new TextDecoder().decode(await read(path));
  let schema: unknown;
  try {
    schema = JSON.parse(text);
  } catch (cause) {
    throw new ProtocolError("bad_data", `${path} is not JSON: ${(cause as Error).message}.`, { cause });
  }
  return checkSchema(schema, path);
}

/** The schema that parsed JSON stands for; `path` names it in errors. */
function checkSchema(given: unknown, path: string): CsvSchema {
  const known = ["target", "ignore", "categorical", "categories", "classes"];
  const schema = typeof given === "object" && given !== null && !Array.isArray(given) ? given : {};
  const unknown = Object.keys(schema).find((name) => !known.includes(name));
  if (unknown !== undefined) refuse(`${path} has the unknown member "${unknown}"; known are ${known.join(", ")}`);
  const { target, ignore, categorical, categories, classes } = schema as Record<string, unknown>;
  if (typeof target !== "string") refuse(`${path} must be an object whose "target" names the column to predict`);
  for (const [name, list] of Object.entries({ ignore, categorical, classes, ...(categories ?? {}) })) {
    const fine = list === undefined || (Array.isArray(list) && list.every((item) => typeof item === "string"));
    if (!fine) refuse(`${path}: "${name}" must be a list of strings`);
  }
  return schema as CsvSchema;
}

function opened(
  kind: DataSpec["kind"],
  dataset: Dataset,
  about: { labels: ArrayLike<number>; name: string },
): OpenedData {
  const data = { kind, shape: [...dataset.shape], classes: dataset.classes };
  const size = `${dataset.examples} examples of ${dataset.shape.join("×")}, ${dataset.classes} classes`;
  return { dataset, data, labels: about.labels, describe: `${about.name}: ${size}` };
}

/** The file at `path`, or the one beside it that ends in `.gz`. */
async function readEither(path: string): Promise<Uint8Array> {
  for (const candidate of [path, `${path}.gz`]) {
    const exists = await access(candidate).then(
      () => true,
      () => false,
    );
    if (exists) return read(candidate);
  }
  return refuse(`There is neither ${path} nor ${path}.gz; an unpacked or gzipped file of MNIST is wanted there`);
}

async function read(path: string): Promise<Uint8Array> {
  try {
    const file = await readFile(path);
    return new Uint8Array(file.buffer, file.byteOffset, file.byteLength);
  } catch (cause) {
    throw new ProtocolError("bad_data", `${path} cannot be read: ${(cause as Error).message}.`, { cause });
  }
}

/** Puts the path before what a reader of bytes says is wrong. */
async function within<Result>(path: string, read: () => Result): Promise<Result> {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause;
    throw new ProtocolError(cause.code, `${path}: ${cause.message}`, { cause });
  }
}

const shortened = (names: readonly string[]) =>
  names.length <= 8 ? names.join(", ") : `${names.slice(0, 8).join(", ")} and ${names.length - 8} more`;

function refuse(detail: string): never {
  throw new ProtocolError("bad_data", `${detail}.`);
}

import { join } from "node:path";
import { badData } from "../data/bad-data.ts";
import { digits } from "../data/digits.ts";
import { readMnist } from "../data/idx.ts";
import { subset } from "../data/subset.ts";
import { read, readEither, within } from "./files.ts";
import { openCsv } from "./open-csv.ts";
import { openImages } from "./open-images.ts";
import { openLibsvm } from "./open-libsvm.ts";
import { openRatings } from "./open-ratings.ts";
import { openText } from "./open-text.ts";
import { type OpenedData, opened } from "./opened.ts";
import { checkKind, checkOptions, parseSource, type SourceOptions } from "./source.ts";

export interface OpenDataOptions {
  /**
   * `digits`, `digits-test`, either with `:COUNT`, `mnist:DIR`, `mnist-test:DIR`, `csv:FILE`, `libsvm:FILE`, `images:DIR`, `text:FILE`
   * or `ratings:FILE`; what a file does not say of itself may follow as `?target=COL&ignore=A,B`, and `#test` (every fifth
   * example; of a text the last fifth of its lines) or `#train` (the others) takes a part.
   */
  readonly source: string;
  /** How many digits to draw, unless the source says; default 10,000, and 2,000 for `digits-test`. */
  readonly examples?: number | undefined;
  /** Of the digits; default 0. */
  readonly seed?: number | undefined;
  /** What a file does not say of itself, or the path of a JSON file that says so; options in the source come first. */
  readonly schema?: SourceOptions | string | undefined;
}

const sources =
  "digits[:COUNT], digits-test[:COUNT], mnist:DIR, mnist-test:DIR, csv:FILE, libsvm:FILE, images:DIR, text:FILE, ratings:FILE (files also as .gz), each with #train or #test";

/**
 * Opens data by its name on the command line. Rejects with `ProtocolError("bad_data")` that names the path and what is
 * wanted there.
 */
export async function openData(given: OpenDataOptions): Promise<OpenedData> {
  const { source } = given;
  const { kind, path, options: own, part } = parseSource(source);
  const options = own ?? (typeof given.schema === "string" ? await readSchema(given.schema) : (given.schema ?? {}));
  const whole = await openWhole(kind, path, { given, options });
  return part === undefined ? whole : partOf(whole, part);
}

async function openWhole(
  kind: string,
  path: string,
  { given, options }: { given: OpenDataOptions; options: SourceOptions },
): Promise<OpenedData> {
  const open = kinds[kind];
  if (open === undefined || (path === "" && !kind.startsWith("digits"))) {
    badData(`"${given.source}" is not a source of data; there are ${sources}`);
  }
  checkKind(kind, options, given.source);
  return open(path, options, given);
}

type Open = (path: string, options: SourceOptions, given: OpenDataOptions) => OpenedData | Promise<OpenedData>;
const kinds: Readonly<Record<string, Open>> = {
  digits: (count, _options, given) => openDigits("train", counted(given, count)),
  "digits-test": (count, _options, given) => openDigits("test", counted(given, count)),
  mnist: (path) => openMnist(path, "train"),
  "mnist-test": (path) => openMnist(path, "t10k"),
  csv: openCsv,
  libsvm: openLibsvm,
  images: openImages,
  text: openText,
  ratings: openRatings,
};

const counted = (given: OpenDataOptions, count: string) =>
  count === "" ? given : { ...given, examples: Number(count) };

/** Every fifth example, beginning with the first, or what the reader holds back, is for tests; the others for training. */
function partOf(whole: OpenedData, part: "train" | "test"): OpenedData {
  const { labels, groups } = whole;
  const all = Uint32Array.from({ length: whole.dataset.examples }, (_, row) => row);
  const isTest = whole.isTest ?? ((row: number) => row % 5 === 0);
  const rows = all.filter((row) => isTest(row) === (part === "test"));
  if (rows.length === 0) badData(`${whole.describe}: no example is left for #${part}`);
  return {
    ...whole,
    dataset: subset(whole.dataset, rows),
    labels: labels && Array.from(rows, (row) => labels[row]!),
    groups: groups && Array.from(rows, (row) => groups[row]!),
    describe: `${whole.describe}; ${rows.length} of them for ${part === "test" ? "testing" : "training"}`,
  };
}

function openDigits(split: "train" | "test", { examples, seed = 0 }: OpenDataOptions): OpenedData {
  const count = examples ?? (split === "train" ? 10_000 : 2_000);
  if (!Number.isSafeInteger(count) || count < 1 || count > 1_000_000) {
    badData(`${count} digits were asked for; between 1 and 1000000 can be drawn`);
  }
  const dataset = digits({ count, seed, split });
  return opened("images", dataset, { labels: dataset.labels, name: `built-in digits (${split}, seed ${seed})` });
}

async function openMnist(folder: string, prefix: "train" | "t10k"): Promise<OpenedData> {
  // One after the other: of two files that are missing, the same is named each time.
  const images = await readEither(join(folder, `${prefix}-images-idx3-ubyte`));
  const labels = await readEither(join(folder, `${prefix}-labels-idx1-ubyte`));
  const dataset = await within(folder, () => readMnist({ images, labels }));
  return opened("images", dataset, { labels: dataset.labels, name: `MNIST, ${folder}` });
}

async function readSchema(path: string): Promise<SourceOptions> {
  const text = new TextDecoder().decode(await read(path));
  let schema: unknown;
  try {
    schema = JSON.parse(text);
  } catch (cause) {
    return badData(`${path} is not JSON: ${(cause as Error).message}`, cause);
  }
  return checkOptions(schema, path);
}

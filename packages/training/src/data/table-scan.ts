import { badData } from "./bad-data.ts";
import { type CsvSchema, columnsIn, isCategorical, type Line, type TableColumns } from "./csv-schema.ts";

/** How a table's records become numbers. */
export interface TableEncoding {
  /** The features' names in their order: a numeric column's own, `column=value` for a categorical one's. */
  readonly features: readonly string[];
  /** The target's values in the order of their classes; empty where it is no class. */
  readonly classes: readonly string[];
  /** Writes a record's features. */
  write(row: Line, into: Float64Array): void;
  /** A record's class index, or the number to predict; 0 where there is no target. */
  target(row: Line): number;
}

/**
 * One pass over a table's records: checks each and learns what the encoding depends on (the words that occur, means). A
 * table may be larger than memory, so nothing of a record is kept.
 */
export class TableScan {
  /** Records that were kept. */
  rows = 0;
  readonly #columns: TableColumns;
  readonly #schema: CsvSchema;
  /** Of each column of words, how often each value occurs. */
  readonly #words: ReadonlyMap<string, Map<string, number>>;
  readonly #sums: Float64Array;
  readonly #counts: Float64Array;
  readonly #labels = new Map<string, number>();
  readonly #groups = new Map<string, number>();

  constructor(header: readonly string[], schema: CsvSchema) {
    this.#columns = columnsIn(header, schema);
    this.#schema = schema;
    const { features } = this.#columns;
    const words = features.filter(({ name }) => isCategorical(name, schema));
    this.#words = new Map(words.map(({ name }) => [name, new Map()]));
    this.#sums = new Float64Array(features.length);
    this.#counts = new Float64Array(features.length);
  }

  /** Whether the record is one of the data. Throws `ProtocolError("bad_data")` where it is incomplete. */
  keeps({ record, line }: Line): boolean {
    const { features, target, group, width } = this.#columns;
    const { missing = "refuse" } = this.#schema;
    if (record.length !== width) badData(`Line ${line} has ${record.length} values; line 1 has ${width}`);
    for (const column of [...features, target, group]) {
      if (column === undefined || !isMissing(record[column.index]!)) continue;
      if (missing === "skip") return false;
      if (missing === "mean" && column !== target && column !== group) continue;
      badData(`Line ${line}, column "${column.name}" has no value; fill it in, or leave the row or the column out`);
    }
    return true;
  }

  /** Learns from a record that is kept. Throws `ProtocolError("bad_data")` that names line and column if it is bad. */
  see(row: Line): void {
    const { record, line } = row;
    const { features, target, group } = this.#columns;
    features.forEach(({ name, index }, feature) => {
      if (isMissing(record[index]!)) return;
      const words = this.#words.get(name);
      const word = record[index]!.trim();
      if (words === undefined) this.#sums[feature]! += numberIn(row, name, index);
      else words.set(word, (words.get(word) ?? 0) + 1);
      this.#counts[feature]! += 1;
      const declared = this.#schema.categories?.[name];
      if (words === undefined || declared === undefined || declared.includes(word)) return;
      badData(`Line ${line}, column "${name}" is "${record[index]}"; its categories are ${declared.join(", ")}`);
    });
    if (target !== undefined) this.#seeTarget(row, target);
    if (group !== undefined) numberOf(this.#groups, record[group.index]!.trim());
    this.rows++;
  }

  /** The number of a record's label and group in the order in which they first occur; 0 where there are none. */
  placesOf({ record }: Line): { label: number; group: number } {
    const { target, group } = this.#columns;
    const label = target === undefined ? 0 : (this.#labels.get(record[target.index]!.trim()) ?? 0);
    return { label, group: group === undefined ? 0 : this.#groups.get(record[group.index]!.trim())! };
  }

  #seeTarget(row: Line, { name, index }: { name: string; index: number }): void {
    if (this.#schema.targetKind === "number") {
      numberIn(row, name, index);
      return;
    }
    const label = row.record[index]!.trim();
    const declared = this.#schema.classes;
    if (declared !== undefined && !declared.includes(label)) {
      badData(`Line ${row.line}, column "${name}" is "${row.record[index]}"; the classes are ${declared.join(", ")}`);
    }
    numberOf(this.#labels, label);
  }

  /** The labels in the order in which they first occur. */
  get labels(): readonly string[] {
    return [...this.#labels.keys()];
  }

  /** After the last record. Throws `ProtocolError("bad_data")` where there are too few records or classes. */
  encoding(): TableEncoding {
    const { target, features: columns } = this.#columns;
    const schema = this.#schema;
    if (this.rows === 0) badData("The table needs a header line and at least one row");
    const encoded = columns.map(({ name, index }, feature) => {
      const words = this.#words.get(name);
      if (words !== undefined) return this.#encodeWords({ name, index }, words);
      const mean = this.#sums[feature]! / this.#counts[feature]!;
      if (Number.isNaN(mean)) badData(`Column "${name}" has no value in any row; leave it out`);
      const write = ({ record }: Line, into: Float64Array, at: number) => {
        into[at] = isMissing(record[index]!) ? mean : Number(record[index]);
      };
      return { names: [name], write };
    });
    const numeric = schema.targetKind === "number";
    const classes = target === undefined || numeric ? [] : (schema.classes ?? sortedValues(this.#labels.keys()));
    if (target !== undefined && !numeric && classes.length < 2) {
      badData(`The target "${target.name}" has one value only, "${classes[0]}"; two are needed`);
    }
    const places = new Map(classes.map((label, place) => [label, place]));
    return {
      features: encoded.flatMap(({ names }) => names),
      classes,
      write(row, into) {
        let at = 0;
        for (const { names, write } of encoded) {
          write(row, into, at);
          at += names.length;
        }
      },
      target({ record }) {
        if (target === undefined) return 0;
        return numeric ? Number(record[target.index]) : places.get(record[target.index]!.trim())!;
      },
    };
  }

  #encodeWords({ name, index }: { name: string; index: number }, words: ReadonlyMap<string, number>) {
    const values = this.#schema.categories?.[name] ?? sortedValues(words.keys());
    const places = new Map(values.map((value, place) => [value, place]));
    const total = [...words.values()].reduce((sum, count) => sum + count, 0);
    return {
      names: values.map((value) => `${name}=${value}`),
      write({ record }: Line, into: Float64Array, at: number) {
        if (isMissing(record[index]!)) {
          for (const [word, count] of words) into[at + places.get(word)!] = count / total;
        } else into[at + places.get(record[index]!.trim())!] = 1;
      },
    };
  }
}

function numberIn({ record, line }: Line, name: string, index: number): number {
  const value = Number(record[index]);
  if (Number.isFinite(Math.fround(value))) return value;
  if (/^\s*[-+]?\d+,\d+\s*$/.test(record[index]!)) {
    badData(`Line ${line}, column "${name}" is "${record[index]}", with a decimal comma; write numbers with a point`);
  }
  return badData(
    `Line ${line}, column "${name}" is "${record[index]}", not a number; name the column among the categorical ` +
      `or the ignored ones if it is not meant to be one`,
  );
}

function numberOf(known: Map<string, number>, name: string): void {
  if (!known.has(name)) known.set(name, known.size);
}

/** The values that occur: in the order of their numbers if all are numbers, else of their code units. */
function sortedValues(values: Iterable<string>): string[] {
  const distinct = [...values];
  const numeric = distinct.every((value) => Number.isFinite(Number(value)));
  return numeric ? distinct.sort((a, b) => Number(a) - Number(b)) : distinct.sort();
}

const missing = new Set(["", "NA", "N/A", "NaN", "nan", "null", "?"]);
const [hyphen, nine] = ["-".charCodeAt(0), "9".charCodeAt(0)];

function isMissing(value: string): boolean {
  // Most values are numbers, and each is asked about several times.
  const first = value.charCodeAt(0);
  return !(first >= hyphen && first <= nine) && missing.has(value.trim());
}

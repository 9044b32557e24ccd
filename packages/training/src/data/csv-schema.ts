import { badData } from "./bad-data.ts";

/** What the columns of a table mean. Columns that it does not name are features and numbers. */
export interface CsvSchema {
  /** The column to predict; none where nothing is, as for clusters. */
  readonly target?: string;
  /** Whether the target's values are classes (the default) or numbers. */
  readonly targetKind?: "class" | "number";
  readonly ignore?: readonly string[];
  /** Columns of words: one feature, 0 or 1, for each value that occurs. */
  readonly categorical?: readonly string[];
  /** A categorical column's values in the order of their features, where devices may not all hold every value. */
  readonly categories?: Readonly<Record<string, readonly string[]>>;
  /** The target's values in the order of their classes. Devices that may not all hold every class must agree on it. */
  readonly classes?: readonly string[];
  /**
   * What becomes of a row without a value in a feature: it is refused (the default), left out, or given the mean of the
   * values in this file (of a column of words: their frequencies). A row without a target is refused or left out.
   */
  readonly missing?: "refuse" | "skip" | "mean";
  /** The column that says whose each row is, for the partition `natural`; no feature. */
  readonly group?: string;
  /** Whether the first line names the columns; default true. Else they are named 1, 2, 3 … */
  readonly header?: boolean;
}

/** One record of a table and the line that it ends in. */
export interface Line {
  readonly record: readonly string[];
  readonly line: number;
}

interface Column {
  readonly name: string;
  readonly index: number;
}

/** The columns of a table by what they are. */
export interface TableColumns {
  readonly features: readonly Column[];
  readonly target: Column | undefined;
  readonly group: Column | undefined;
  /** How many values a record has. */
  readonly width: number;
}

/** Finds a schema's columns. Throws `ProtocolError("bad_data")` for a name that is missing or there twice. */
export function columnsIn(header: readonly string[], schema: CsvSchema): TableColumns {
  const twice = header.find((name, index) => name !== "" && header.indexOf(name) !== index);
  if (twice !== undefined) badData(`Line 1 names the column "${twice}" twice`);
  if (schema.target === undefined && (schema.targetKind !== undefined || schema.classes !== undefined)) {
    badData("The schema says what the target is like, but not which column it is");
  }
  const asked = {
    target: schema.target === undefined ? [] : [schema.target],
    group: schema.group === undefined ? [] : [schema.group],
    ignore: schema.ignore ?? [],
    categorical: schema.categorical ?? [],
    categories: Object.keys(schema.categories ?? {}),
  };
  for (const [role, names] of Object.entries(asked)) {
    for (const name of names) {
      if (header.includes(name)) continue;
      const there =
        schema.header === false
          ? `there are 1 to ${header.length}`
          : `line 1 names ${header.filter(Boolean).join(", ")}`;
      badData(`There is no column "${name}" (${role}); ${there}`);
    }
  }
  const find = (name: string | undefined) => (name === undefined ? undefined : { name, index: header.indexOf(name) });
  const features = header.flatMap((name, index) => {
    // Row names, or what a comma at the end of each line makes.
    const nameless = name === "";
    const other = name === schema.target || name === schema.group || schema.ignore?.includes(name);
    return nameless || other ? [] : [{ name, index }];
  });
  if (features.length === 0) {
    badData(
      schema.target === undefined ? "No feature columns are left" : "No feature columns are left beside the target",
    );
  }
  return { features, target: find(schema.target), group: find(schema.group), width: header.length };
}

/** Whether a column holds words. */
export const isCategorical = (name: string, schema: CsvSchema) =>
  schema.categorical?.includes(name) || Object.hasOwn(schema.categories ?? {}, name);

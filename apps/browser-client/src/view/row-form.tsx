import { words } from "../words.ts";

/** One row of a table, typed: a number for each column of numbers, a choice for each column of words. */
export function RowForm(props: {
  features: readonly string[];
  categorical: readonly string[];
  onTyped: (row: Float32Array) => void;
}) {
  const { features, categorical, onTyped } = props;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        const row = new Float32Array(features.length);
        for (const field of event.currentTarget.querySelectorAll<HTMLInputElement | HTMLSelectElement>(
          "input, select",
        )) {
          if (field instanceof HTMLSelectElement) row[Number(field.value)] = 1;
          else row[Number(field.name)] = field.valueAsNumber;
        }
        onTyped(row);
      }}
    >
      <div class="row fields">
        {columnsOf(features, categorical).map(({ name, at, values }) => (
          <div key={name} class="field small">
            <label htmlFor={`feature-${at}`}>{name}</label>
            {values === undefined ? (
              <input id={`feature-${at}`} type="number" name={`${at}`} step="any" required value={0} />
            ) : (
              <select id={`feature-${at}`}>
                {values.map((value, i) => (
                  <option key={value} value={at + i}>
                    {value}
                  </option>
                ))}
              </select>
            )}
          </div>
        ))}
      </div>
      <button type="submit">{words.model.ask}</button>
    </form>
  );
}

interface Column {
  readonly name: string;
  /** The index of its first feature. */
  readonly at: number;
  /** Of a column of words, one feature each. */
  readonly values?: string[];
}

/** The columns that features were made of: those of one category stand side by side, as `column=value`. */
function columnsOf(features: readonly string[], categorical: readonly string[]): Column[] {
  const columns: Column[] = [];
  for (const [at, feature] of features.entries()) {
    const name = categorical.find((column) => feature.startsWith(`${column}=`));
    const last = columns.at(-1);
    const value = feature.slice((name?.length ?? 0) + 1);
    if (name === undefined) columns.push({ name: feature, at });
    else if (last?.name === name && last.values !== undefined) last.values.push(value);
    else columns.push({ name, at, values: [value] });
  }
  return columns;
}

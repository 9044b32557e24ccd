import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { PageState } from "../page-state.ts";
import { words } from "../words.ts";

type Use = keyof typeof words.data.csvUses;

interface Table {
  readonly file: File;
  readonly columns: readonly string[];
  readonly target: string;
  /** Of the other columns; a number unless it says otherwise. */
  readonly uses: Readonly<Record<string, Use>>;
}

/** Picks a table and says what its columns mean. */
export function CsvForm({ state }: { state: PageState }) {
  const table = useSignal<Table | undefined>(undefined);
  const classes = useSignal("");

  const pick = async (file: File | undefined) => {
    table.value = undefined;
    state.forgetData();
    if (file === undefined) return;
    try {
      const columns = await state.columns(file);
      table.value = { file, columns, target: columns.at(-1)!, uses: {} };
    } catch (error) {
      state.refuseData((error as Error).message);
    }
  };
  const dropped = state.dropped.value;
  useEffect(() => {
    if (dropped.length === 0) return;
    state.dropped.value = [];
    void pick(dropped[0]?.file);
  });
  const change = (part: Partial<Table>) => {
    if (table.value !== undefined) table.value = { ...table.value, ...part };
    state.forgetData();
  };
  const submit = ({ file, columns, target, uses }: Table) => {
    const used = (as: Use) => columns.filter((name) => name !== target && uses[name] === as);
    const names = classes.value
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== "");
    const schema = { target, ignore: used("ignore"), categorical: used("category") };
    void state.open({ kind: "csv", file, schema: { ...schema, ...(names.length === 0 ? {} : { classes: names }) } });
  };

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (table.value !== undefined) submit(table.value);
      }}
    >
      <label class="field">
        <span>{words.data.csvFile}</span>
        <input
          type="file"
          accept=".csv,.csv.gz,.gz,text/csv"
          onChange={(event) => void pick(event.currentTarget.files?.[0])}
        />
      </label>
      {table.value === undefined ? null : (
        <Columns table={table.value} onChange={change} onClasses={(text) => (classes.value = text)} />
      )}
    </form>
  );
}

function Columns({
  table: { columns, target, uses },
  onChange,
  onClasses,
}: {
  table: Table;
  onChange: (part: Partial<Table>) => void;
  onClasses: (text: string) => void;
}) {
  const { csvTarget, csvColumns, csvUse, csvUses, csvClasses, csvClassesHint, csvButton } = words.data;
  return (
    <>
      <label class="field">
        <span>{csvTarget}</span>
        <select value={target} onChange={(event) => onChange({ target: event.currentTarget.value })}>
          {columns.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <details>
        <summary>
          {csvColumns} ({columns.length - 1})
        </summary>
        <ul class="columns">
          {columns
            .filter((name) => name !== target)
            .map((name) => (
              <li key={name}>
                <span>{name}</span>
                <select
                  aria-label={csvUse(name)}
                  value={uses[name] ?? "number"}
                  onChange={(event) => onChange({ uses: { ...uses, [name]: event.currentTarget.value as Use } })}
                >
                  {Object.entries(csvUses).map(([use, text]) => (
                    <option key={use} value={use}>
                      {text}
                    </option>
                  ))}
                </select>
              </li>
            ))}
        </ul>
      </details>
      <label class="field">
        <span>{csvClasses}</span>
        <input type="text" aria-describedby="classes-hint" onInput={(event) => onClasses(event.currentTarget.value)} />
        <small id="classes-hint" class="hint">
          {csvClassesHint}
        </small>
      </label>
      <button type="submit" class="secondary">
        {csvButton}
      </button>
    </>
  );
}

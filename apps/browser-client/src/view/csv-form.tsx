import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { PageState } from "../page-state.ts";
import { words } from "../words.ts";

type Use = keyof typeof words.data.csvUses;
type Missing = keyof typeof words.data.csvMissingUses;

interface Table {
  readonly file: File;
  readonly columns: readonly string[];
  /** None where the run predicts nothing. */
  readonly target: string | undefined;
  /** Of the other columns; a number unless it says otherwise. */
  readonly uses: Readonly<Record<string, Use>>;
  /** Whether the first line names the columns. */
  readonly header: boolean;
  readonly missing: Missing;
}

/** Picks a table and says what its columns mean. */
export function CsvForm({ state }: { state: PageState }) {
  const table = useSignal<Table | undefined>(undefined);
  const classes = useSignal("");
  const predicted = state.runs.run.value?.data.target ?? "class";

  const pick = async (file: File | undefined, header = true) => {
    if (table.value?.file !== file) table.value = undefined;
    state.data.forget();
    if (file === undefined) return;
    try {
      const columns = await state.data.columns(file, { header });
      const target = predicted === "none" ? undefined : columns.at(-1)!;
      table.value = { file, columns, target, uses: {}, header, missing: "refuse" };
    } catch (error) {
      state.data.refuse((error as Error).message);
    }
  };
  const dropped = state.data.dropped.value;
  useEffect(() => {
    if (dropped.length === 0) return;
    state.data.dropped.value = [];
    void pick(dropped[0]?.file);
  });
  const change = (part: Partial<Table>) => {
    if (table.value !== undefined) table.value = { ...table.value, ...part };
    state.data.forget();
  };
  const submit = ({ file, columns, target, uses, header, missing }: Table) => {
    const used = (as: Use) => columns.filter((name) => name !== target && uses[name] === as);
    const names = classes.value
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== "");
    const features = { ignore: used("ignore"), categorical: used("category"), header, missing };
    const wanted = predicted === "number" ? { targetKind: predicted } : names.length === 0 ? {} : { classes: names };
    const schema = target === undefined ? features : { ...features, ...wanted, target };
    void state.data.open({ kind: "csv", file, schema });
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
        <Columns
          table={table.value}
          named={predicted === "class"}
          onChange={change}
          onClasses={(text) => {
            classes.value = text;
            state.data.forget();
          }}
          onHeader={(header) => void pick(table.value?.file, header)}
        />
      )}
    </form>
  );
}

function Columns({
  table: { columns, target, uses, header, missing },
  named,
  onChange,
  onClasses,
  onHeader,
}: {
  table: Table;
  /** Whether what is predicted are classes, whose names may be given. */
  named: boolean;
  onChange: (part: Partial<Table>) => void;
  onClasses: (text: string) => void;
  onHeader: (header: boolean) => void;
}) {
  const { csvTarget, csvHeader, csvMissing, csvMissingUses } = words.data;
  const { csvColumns, csvUse, csvUses, csvClasses, csvClassesHint, csvButton } = words.data;
  return (
    <>
      <label class="tick">
        <input type="checkbox" checked={header} onChange={(event) => onHeader(event.currentTarget.checked)} />
        <span>{csvHeader}</span>
      </label>
      {target === undefined ? null : (
        <label class="field">
          <span>{csvTarget}</span>
          <select value={target} onChange={(event) => onChange({ target: event.currentTarget.value })}>
            {columns.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
      )}
      <details>
        <summary>
          {csvColumns} ({columns.length - (target === undefined ? 0 : 1)})
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
        <span>{csvMissing}</span>
        <select value={missing} onChange={(event) => onChange({ missing: event.currentTarget.value as Missing })}>
          {Object.entries(csvMissingUses).map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
      </label>
      {named ? (
        <label class="field">
          <span>{csvClasses}</span>
          <input
            type="text"
            aria-describedby="classes-hint"
            onInput={(event) => onClasses(event.currentTarget.value)}
          />
          <small id="classes-hint" class="hint">
            {csvClassesHint}
          </small>
        </label>
      ) : null}
      <button type="submit" class="secondary">
        {csvButton}
      </button>
    </>
  );
}

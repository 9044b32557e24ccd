import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { PageState } from "../page-state.ts";
import { words } from "../words.ts";
import { ClassesField } from "./classes-field.tsx";
import { FileField } from "./file-field.tsx";
import { Live } from "./live.tsx";
import { useDropped } from "./use-dropped.ts";

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
  const file = useSignal<File | undefined>(undefined);
  const isLooking = useSignal(false);
  const classes = useSignal<readonly string[]>([]);
  const looks = useRef(0);
  const predicted = state.runs.run.value?.data.target ?? "class";

  const pick = async (picked: File | undefined, header = true) => {
    const look = ++looks.current;
    // What was ticked stays ticked while its columns are looked for.
    table.value = table.value?.file === picked && table.value !== undefined ? { ...table.value, header } : undefined;
    file.value = picked;
    state.data.forget();
    isLooking.value = picked !== undefined;
    if (picked === undefined) return;
    try {
      const columns = await state.data.columns(picked, { header });
      if (look !== looks.current) return;
      const target = predicted === "none" ? undefined : columns.at(-1)!;
      table.value = { file: picked, columns, target, uses: {}, header, missing: "refuse" };
    } catch (error) {
      if (look === looks.current) state.data.refuse((error as Error).message);
    }
    if (look === looks.current) isLooking.value = false;
  };
  useDropped(state, ([dropped]) => void pick(dropped?.file));
  const change = (part: Partial<Table>) => {
    if (table.value !== undefined) table.value = { ...table.value, ...part };
    state.data.forget();
  };
  const submit = ({ file, columns, target, uses, header, missing }: Table) => {
    const used = (as: Use) => columns.filter((name) => name !== target && uses[name] === as);
    const names = classes.value;
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
      <FileField
        label={words.data.csvFile}
        accept=".csv,.csv.gz,.gz,.tsv,.txt,text/csv"
        chosen={file.value}
        onPick={(picked) => void pick(picked)}
      />
      <Live
        role="status"
        class="status"
        text={isLooking.value && table.value === undefined ? words.data.reading : ""}
      />
      {table.value === undefined ? null : (
        <Columns
          table={table.value}
          named={predicted === "class"}
          onChange={change}
          onClasses={(names) => {
            classes.value = names;
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
  onClasses: (names: readonly string[]) => void;
  onHeader: (header: boolean) => void;
}) {
  const { csvTarget, csvHeader, csvMissing, csvMissingUses } = words.data;
  const { csvColumns, csvUse, csvUses, csvButton } = words.data;
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
      {named ? <ClassesField id="classes-hint" onTyping={onClasses} /> : null}
      <button type="submit" class="secondary">
        {csvButton}
      </button>
    </>
  );
}

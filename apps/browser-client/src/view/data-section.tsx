import { useSignal } from "@preact/signals";
import type { DataSpec } from "@tributary/protocol";
import type { DataState, PageState } from "../page-state.ts";
import { words } from "../words.ts";
import { CsvForm } from "./csv-form.tsx";
import { DigitsForm } from "./digits-form.tsx";
import { MnistForm } from "./mnist-form.tsx";

const forms = {
  demo: { title: words.data.demo, hint: words.data.demoHint, Form: DigitsForm },
  mnist: { title: words.data.mnist, hint: words.data.mnistHint, Form: MnistForm },
  csv: { title: words.data.csv, hint: words.data.csvHint, Form: CsvForm },
} as const;
type Source = keyof typeof forms;

/** The ways to bring data that a run can use. */
function sourcesFor({ kind, shape, classes }: DataSpec): readonly Source[] {
  if (kind === "table") return ["csv"];
  return shape.join() === "28,28,1" && classes === 10 ? ["demo", "mnist"] : ["mnist"];
}

export function DataSection({ state }: { state: PageState }) {
  const picked = useSignal<Source | undefined>(undefined);
  const run = state.run.value;
  const sources = run === undefined ? [] : sourcesFor(run.data);
  const source = picked.value !== undefined && sources.includes(picked.value) ? picked.value : sources[0];
  const Form = source === undefined ? undefined : forms[source].Form;
  return (
    <section class="card" aria-labelledby="data">
      <h2 id="data">{words.data.title}</h2>
      <p class="hint">{words.data.stays}</p>
      {source === undefined ? <p>{words.data.none}</p> : null}
      {sources.length > 1 ? (
        <fieldset class="tabs">
          <legend class="unseen">{words.data.title}</legend>
          {sources.map((name) => (
            <label key={name} class="tab">
              <input
                type="radio"
                name="source"
                checked={name === source}
                onChange={() => {
                  picked.value = name;
                  state.forgetData();
                }}
              />
              <span>{forms[name].title}</span>
            </label>
          ))}
        </fieldset>
      ) : null}
      {source === undefined ? null : <p class="hint">{forms[source].hint}</p>}
      {Form === undefined ? null : <Form key={source} state={state} />}
      <Found data={state.data.value} asked={state.lacking.value === "mismatch" ? run?.data : undefined} />
    </section>
  );
}

const mostClasses = 12;

/** What the worker found in the data, or why this run cannot use it; `asked` is given where it does not fit. */
function Found({ data, asked }: { data: DataState; asked: DataSpec | undefined }) {
  const mismatch = data.kind === "ready" && asked !== undefined ? words.data.mismatch(data.found.data, asked) : "";
  return (
    <>
      <p class="refusal" role="alert">
        {data.kind === "refused" ? data.detail : mismatch}
      </p>
      <div class="found" role="status">
        {data.kind === "reading" ? words.data.reading : null}
        {data.kind === "ready" ? <Ready found={data.found} /> : null}
      </div>
    </>
  );
}

function Ready({ found: { examples, classes } }: { found: Extract<DataState, { kind: "ready" }>["found"] }) {
  const most = Math.max(...classes.map((each) => each.examples));
  const left = classes.length - mostClasses;
  return (
    <>
      <strong>{words.data.found(examples)}</strong>
      <dl class="classes" aria-label={words.data.classes}>
        {classes.slice(0, mostClasses).map(({ name, examples: count }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <meter min={0} max={most} value={count} aria-label={name} />
              {count}
            </dd>
          </div>
        ))}
      </dl>
      {left > 0 ? <p class="hint">{words.data.more(left)}</p> : null}
    </>
  );
}

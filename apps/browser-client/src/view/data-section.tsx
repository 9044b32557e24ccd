import { useSignal } from "@preact/signals";
import type { DataSpec } from "@tributary/protocol";
import { droppedFiles } from "../dropped-files.ts";
import type { DataState, PageState } from "../page-state.ts";
import type { LabelledFile } from "../training/messages.ts";
import { words } from "../words.ts";
import { CsvForm } from "./csv-form.tsx";
import { DigitsForm } from "./digits-form.tsx";
import { ImagesForm, isImage } from "./images-form.tsx";
import { MnistForm } from "./mnist-form.tsx";
import { TextForm } from "./text-form.tsx";
import { Thumbnails } from "./thumbnails.tsx";

const forms = {
  demo: { title: words.data.demo, hint: words.data.demoHint, Form: DigitsForm },
  mnist: { title: words.data.mnist, hint: words.data.mnistHint, Form: MnistForm },
  images: { title: words.data.images, hint: words.data.imagesHint, Form: ImagesForm },
  csv: { title: words.data.csv, hint: words.data.csvHint, Form: CsvForm },
  text: { title: words.data.text, hint: words.data.textHint, Form: TextForm },
} as const;
type Source = keyof typeof forms;

/** The ways to bring data that a run can use. */
function sourcesFor({ kind, shape, classes }: DataSpec): readonly Source[] {
  if (kind === "table") return ["csv"];
  if (kind === "text") return ["text"];
  return shape.join() === "28,28,1" && classes === 10 ? ["demo", "mnist", "images"] : ["images", "mnist"];
}

/** The form that dropped files are for. */
function sourceOf(files: readonly LabelledFile[], sources: readonly Source[]): Source | undefined {
  const named = (pattern: RegExp) => files.some(({ file }) => pattern.test(file.name));
  const wanted = files.some(isImage)
    ? "images"
    : named(/-idx\d-/)
      ? "mnist"
      : named(/\.(txt|text|md)(\.gz)?$/i)
        ? "text"
        : "csv";
  return files.length > 0 && sources.includes(wanted) ? wanted : undefined;
}

export function DataSection({ state }: { state: PageState }) {
  const picked = useSignal<Source | undefined>(undefined);
  const run = state.run.value;
  const sources = run === undefined ? [] : sourcesFor(run.data);
  const source = picked.value !== undefined && sources.includes(picked.value) ? picked.value : sources[0];
  const over = useSignal(false);
  const drop = async (transfer: DataTransfer) => {
    const files = await droppedFiles(transfer);
    const target = sourceOf(files, sources);
    if (target === undefined) return state.refuseData(words.data.notDropped(files.map(({ file }) => file.name)));
    picked.value = target;
    state.forgetData();
    state.dropped.value = target === "images" ? files.filter(isImage) : files;
  };
  const Form = source === undefined ? undefined : forms[source].Form;
  return (
    <section
      class={over.value ? "card over" : "card"}
      aria-labelledby="data"
      onDragOver={(event) => {
        event.preventDefault();
        over.value = true;
      }}
      onDragLeave={() => (over.value = false)}
      onDrop={(event) => {
        event.preventDefault();
        over.value = false;
        if (event.dataTransfer !== null) void drop(event.dataTransfer);
      }}
    >
      <h2 id="data">{words.data.title}</h2>
      <p class="hint">{words.data.stays}</p>
      {state.keeping.value === "before" ? (
        <p class="buttons">
          {words.data.keptBefore}
          <button type="button" class="secondary" onClick={() => void state.useKept()}>
            {words.data.useKept}
          </button>
          <button type="button" class="secondary" onClick={() => void state.keepData(false)}>
            {words.data.forgetKept}
          </button>
        </p>
      ) : null}
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
      {source === undefined ? null : (
        <p class="hint">
          {forms[source].hint} {words.data.drop}
        </p>
      )}
      {Form === undefined ? null : <Form key={source} state={state} />}
      <Found state={state} asked={state.lacking.value === "mismatch" ? run?.data : undefined} />
    </section>
  );
}

const mostClasses = 12;

/** What the worker found in the data, or why this run cannot use it; `asked` is given where it does not fit. */
function Found({ state, asked }: { state: PageState; asked: DataSpec | undefined }) {
  const data: DataState = state.data.value;
  const mismatch = data.kind === "ready" && asked !== undefined ? words.data.mismatch(data.found.data, asked) : "";
  return (
    <>
      <p class="refusal" role="alert">
        {data.kind === "refused" ? data.detail : mismatch}
      </p>
      <div class="found" role="status">
        {data.kind === "reading" ? words.data.reading : null}
        {data.kind === "ready" ? <Ready state={state} data={data} /> : null}
      </div>
    </>
  );
}

function Ready({ state, data }: { state: PageState; data: Extract<DataState, { kind: "ready" }> }) {
  const { examples, classes, features, data: spec } = data.found;
  const most = Math.max(...classes.map((each) => each.examples));
  const text = spec.kind === "text";
  // A text's characters are many, and the first in order are rare ones.
  const shown = text ? classes.filter((each) => each.examples > 0).sort((a, b) => b.examples - a.examples) : classes;
  const left = shown.length - mostClasses;
  return (
    <>
      <strong>{words.data.found(examples)}</strong>
      {text ? <p>{words.data.textFound(examples, spec.shape[0]!, shown.length, classes.length)}</p> : null}
      <dl class="classes" aria-label={text ? words.data.characters : words.data.classes}>
        {shown.slice(0, mostClasses).map(({ name, examples: count }) => (
          <div key={name}>
            <dt>{text ? words.data.character(name) : name}</dt>
            <dd>
              <meter min={0} max={most} value={count} aria-label={text ? words.data.character(name) : name} />
              {count}
            </dd>
          </div>
        ))}
      </dl>
      {features.length === 0 ? null : <p class="hint">{words.data.features(features)}</p>}
      {spec.kind === "images" ? <Thumbnails key={state.opened.value} state={state} found={data.found} /> : null}
      {data.choice.kind === "digits" ? null : (
        <label class="tick">
          <input
            type="checkbox"
            checked={state.keeping.value === "kept"}
            onChange={(event) => void state.keepData(event.currentTarget.checked)}
          />
          <span>
            {words.data.keep}
            {state.keeping.value === "kept" ? <b> {words.data.kept}</b> : null}
          </span>
        </label>
      )}
      {left > 0 ? <p class="hint">{text ? words.data.moreCharacters(left) : words.data.more(left)}</p> : null}
    </>
  );
}

import { useSignal } from "@preact/signals";
import type { DataSpec } from "@tributary/protocol";
import { droppedFiles, type PlacedFile } from "../dropped-files.ts";
import { isImage } from "../labelled-images.ts";
import type { DataState } from "../own-data.ts";
import type { PageState } from "../page-state.ts";
import type { DataChoice } from "../training/messages.ts";
import { words } from "../words.ts";
import { CsvForm } from "./csv-form.tsx";
import { DigitsForm } from "./digits-form.tsx";
import { fileForm } from "./file-form.tsx";
import { ImagesForm } from "./images-form.tsx";
import { Live } from "./live.tsx";
import { MnistForm } from "./mnist-form.tsx";
import { Preview } from "./preview.tsx";

const TextForm = fileForm({
  label: words.data.textFile,
  accept: ".txt,.text,.md,.gz,text/plain",
  choice: (file, { shape, vocabulary = "" }) => ({ kind: "text", file, window: shape[0]!, vocabulary }),
});
const LibsvmForm = fileForm({
  label: words.data.libsvmFile,
  accept: "",
  choice: (file, data) => ({ kind: "libsvm", file, data }),
});
const RatingsForm = fileForm({
  label: words.data.ratingsFile,
  accept: ".csv,.csv.gz,.gz,text/csv",
  choice: (file, data) => ({ kind: "ratings", file, data }),
});

const forms = {
  demo: { title: words.data.demo, hint: words.data.demoHint, Form: DigitsForm },
  mnist: { title: words.data.mnist, hint: words.data.mnistHint, Form: MnistForm },
  images: { title: words.data.images, hint: words.data.imagesHint, Form: ImagesForm },
  csv: { title: words.data.csv, hint: words.data.csvHint, Form: CsvForm },
  libsvm: { title: words.data.libsvm, hint: words.data.libsvmHint, Form: LibsvmForm },
  text: { title: words.data.text, hint: words.data.textHint, Form: TextForm },
  ratings: { title: words.data.ratings, hint: words.data.ratingsHint, Form: RatingsForm },
} as const;
type Source = keyof typeof forms;

/** The ways to bring data that a run can use. */
function sourcesFor({ kind, shape, classes }: DataSpec): readonly Source[] {
  switch (kind) {
    case "images":
      return shape.join() === "28,28,1" && classes === 10 ? ["demo", "mnist", "images"] : ["images", "mnist"];
    case "table":
      return ["csv", "libsvm"];
    case "sparse":
      return ["libsvm"];
    case "text":
      return ["text"];
    case "ratings":
      return ["ratings"];
  }
}

/** Sources of one file, which may have any name. */
const oneFile: readonly Source[] = ["csv", "libsvm", "text", "ratings"];

/** The form that dropped files are for. */
function sourceOf(files: readonly PlacedFile[], sources: readonly Source[]): Source | undefined {
  const named = (pattern: RegExp) => files.some(({ file }) => pattern.test(file.name));
  const wanted = files.some(isImage)
    ? "images"
    : named(/[-.]idx\d-/)
      ? "mnist"
      : named(/\.(libsvm|svm|svmlight)(\.gz)?$/i)
        ? "libsvm"
        : sources.find((source) => oneFile.includes(source));
  return files.length > 0 && wanted !== undefined && sources.includes(wanted) ? wanted : undefined;
}

export function DataSection({ state }: { state: PageState }) {
  const picked = useSignal<Source | undefined>(undefined);
  const run = state.runs.run.value;
  const sources = run === undefined ? [] : sourcesFor(run.data);
  const source = picked.value !== undefined && sources.includes(picked.value) ? picked.value : sources[0];
  const over = useSignal(false);
  const givenUp = useSignal(0);
  const drop = async (transfer: DataTransfer) => {
    const files = await droppedFiles(transfer);
    const target = sourceOf(files, sources);
    const names = files.map(({ file }) => file.name);
    if (target === undefined) return state.data.refuse(words.data.notDropped(names));
    if (oneFile.includes(target) && names.length > 1) return state.data.refuse(words.data.notOne(names));
    picked.value = target;
    state.data.forget();
    state.data.dropped.value = files;
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
      {state.data.isLost.value ? <p class="lost">{words.data.again}</p> : null}
      {state.data.kept.value === "before" ? (
        <p class="buttons">
          {words.data.keptBefore}
          <button type="button" class="secondary" onClick={() => void state.data.useKept()}>
            {words.data.useKept}
          </button>
          <button type="button" class="secondary" onClick={() => void state.data.keep(false)}>
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
                  state.data.forget();
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
      {Form === undefined ? null : <Form key={`${source} ${run?.data.target} ${givenUp.value}`} state={state} />}
      <Live role="alert" class="refusal" text={state.data.keepFault.value} />
      <Found
        state={state}
        asked={state.lacking.value === "mismatch" ? run?.data : undefined}
        onGivenUp={() => {
          state.data.forget();
          // The same files can be picked again, or a table read with what was said of its columns.
          if (source !== "csv") givenUp.value += 1;
        }}
      />
    </section>
  );
}

const mostClasses = 12;

/** How many users or items there are: ratings name them or say so. */
function countOf(names: DataSpec["users"]): number {
  return typeof names === "number" ? names : (names?.length ?? 0);
}

/** What the worker found in the data, or why this run cannot use it; `asked` is given where it does not fit. */
function Found(props: { state: PageState; asked: DataSpec | undefined; onGivenUp: () => void }) {
  const { state, asked, onGivenUp } = props;
  const data: DataState = state.data.state.value;
  const mismatch = data.kind === "ready" && asked !== undefined ? words.data.mismatch(data.found.data, asked) : "";
  return (
    <>
      <Live role="alert" class="refusal" text={data.kind === "refused" ? data.detail : mismatch} />
      <div class="found" role="status">
        {data.kind === "reading" ? words.data.reading : null}
        {data.kind === "ready" ? <Ready state={state} data={data} /> : null}
      </div>
      {data.kind === "reading" ? <Progress share={state.data.progress.value} onGivenUp={onGivenUp} /> : null}
    </>
  );
}

/** How far the reading is, and its end; no live region, for it changes a hundred times. */
function Progress({ share, onGivenUp }: { share: number; onGivenUp: () => void }) {
  return (
    <div class="reading">
      <progress max={1} value={share} aria-label={words.data.reading} />
      <span>{words.data.percent(share)}</span>
      <button type="button" class="secondary" onClick={onGivenUp}>
        {words.data.giveUp}
      </button>
    </div>
  );
}

/** The files that were read, as far as they are few. */
function filesOf(choice: DataChoice): readonly File[] {
  switch (choice.kind) {
    case "csv":
    case "text":
    case "libsvm":
    case "ratings":
      return [choice.file];
    case "mnist":
      return [choice.images, choice.labels];
    case "images":
    case "digits":
      return [];
  }
}

function Ready({ state, data }: { state: PageState; data: Extract<DataState, { kind: "ready" }> }) {
  const { examples, classes, features, data: spec } = data.found;
  const most = classes.reduce((sum, each) => Math.max(sum, each.examples), 0);
  const text = spec.kind === "text";
  // A text's characters are many, and the first in order are rare ones.
  const shown = text ? classes.filter((each) => each.examples > 0).sort((a, b) => b.examples - a.examples) : classes;
  const left = shown.length - mostClasses;
  const files = filesOf(data.choice).map(({ name }) => name);
  return (
    <>
      <strong>{words.data.found(examples)}</strong>
      {files.length === 0 ? null : <span> {words.data.from(files)}</span>}
      {spec.kind === "ratings" ? <p>{words.data.ratingsFound(countOf(spec.users), countOf(spec.items))}</p> : null}
      {text ? <p>{words.data.textFound(examples, spec.shape[0]!, shown.length, classes.length)}</p> : null}
      {shown.length === 0 ? null : (
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
      )}
      {features.length === 0 ? null : <p class="hint">{words.data.features(features)}</p>}
      <Preview key={data.set} state={state} found={data.found} />
      {data.choice.kind === "digits" ? null : (
        <label class="tick">
          <input
            type="checkbox"
            checked={state.data.isKept.value}
            onChange={(event) => void state.data.keep(event.currentTarget.checked)}
          />
          <span>
            {words.data.keep}
            {state.data.isKept.value ? <b> {words.data.kept}</b> : null}
          </span>
        </label>
      )}
      {left > 0 ? <p class="hint">{text ? words.data.moreCharacters(left) : words.data.more(left)}</p> : null}
    </>
  );
}

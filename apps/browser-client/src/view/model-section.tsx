import type { Part } from "../device/part.ts";
import type { TrainedModel } from "../model-use.ts";
import type { PageState } from "../page-state.ts";
import { words } from "../words.ts";
import { DigitPad } from "./digit-pad.tsx";
import { RowForm } from "./row-form.tsx";
import { saveFile } from "./save-file.ts";

/** The model that came of it, to be tried here and taken along. */
export function ModelSection({ state, part }: { state: PageState; part: Part }) {
  const { run } = part.state.value;
  const { modelUse } = state;
  const use = modelUse.state.value;
  const { title, why, load, loading } = words.model;
  if (run.model === undefined || run.data.classes === 0) return null;
  return (
    <section class="card model" aria-labelledby="model">
      <h2 id="model">{title}</h2>
      <p class="hint">{why}</p>
      {use.kind === "ready" ? (
        <Ready state={state} part={part} trained={use.trained} />
      ) : (
        <button type="button" disabled={use.kind === "loading"} onClick={() => void state.loadModel()}>
          {use.kind === "loading" ? loading : load}
        </button>
      )}
      <p class="refusal" role="alert">
        {use.kind === "refused" ? use.detail : ""}
      </p>
    </section>
  );
}

function Ready({ state, part, trained }: { state: PageState; part: Part; trained: TrainedModel }) {
  const { version, save, file, draw, type } = words.model;
  const { shape } = trained.data;
  const ask = (features: Float32Array) => void state.askModel(features);
  const drawn = shape.join() === "28,28,1";
  const typed = trained.data.kind === "table" && part.found.features.length > 0;
  return (
    <>
      <p>{version(trained.version, trained.weights.length)}</p>
      <div class="columns-two">
        {drawn ? (
          <div>
            <h3>{draw}</h3>
            <DigitPad onDrawn={ask} onCleared={() => (state.modelUse.answer.value = undefined)} />
          </div>
        ) : null}
        {typed ? (
          <div>
            <h3>{type}</h3>
            <RowForm features={part.found.features} onTyped={ask} />
          </div>
        ) : null}
        {drawn || typed ? (
          <Answer probabilities={state.modelUse.answer.value} classes={part.found.classes.map(({ name }) => name)} />
        ) : null}
      </div>
      <p class="buttons">
        <button
          type="button"
          class="secondary"
          onClick={() => saveFile(file(trained.run, trained.version), new Blob([trained.weights as BlobPart]))}
        >
          {save}
        </button>
      </p>
    </>
  );
}

/** The likeliest classes, the likeliest first. */
function Answer({ probabilities, classes }: { probabilities: Float32Array | undefined; classes: readonly string[] }) {
  const { answer, nothing, probability } = words.model;
  const best = Array.from(probabilities ?? [], (share, label) => ({ share, name: classes[label] ?? `${label}` }))
    .sort((a, c) => c.share - a.share)
    .slice(0, 3);
  return (
    <div class="answer" role="status">
      <p>{best.length === 0 ? nothing : answer(best[0]!.name)}</p>
      {best.map(({ name, share }) => (
        <p key={name} class="share">
          <span>{name}</span>
          <meter min={0} max={1} value={share} aria-label={name} />
          <span>{probability(share)}</span>
        </p>
      ))}
    </div>
  );
}

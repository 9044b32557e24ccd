import type { DataSpec } from "@tributary/protocol";
import type { TrainedModel } from "../model-use.ts";
import type { OpenRun } from "../open-runs.ts";
import type { PageState } from "../page-state.ts";
import type { DataFound, Example } from "../training/messages.ts";
import { words } from "../words.ts";
import { DigitPad } from "./digit-pad.tsx";
import { LineForm } from "./line-form.tsx";
import { Live } from "./live.tsx";
import { PictureForm } from "./picture-form.tsx";
import { RatingForm } from "./rating-form.tsx";
import { RowForm } from "./row-form.tsx";
import { saveFile } from "./save-file.ts";
import { WriteForm } from "./write-form.tsx";

/** The model that came of it, to be tried here and taken along. */
export function ModelSection({ state, run, found }: { state: PageState; run: OpenRun; found: DataFound | undefined }) {
  const { modelUse } = state;
  const use = modelUse.state.value;
  const { title, why, whyLearnt, saveLearnt, learntFile, load, loading } = words.model;
  const saveIt = async () => {
    const learnt = await state.fetchLearnt(run);
    if (learnt === undefined) return;
    saveFile(learntFile(run.run, learnt.version), new Blob([learnt.json], { type: "application/json" }));
  };
  return (
    <section class="card model" aria-labelledby="model">
      <h2 id="model">{title}</h2>
      <p class="hint">{run.model === undefined ? whyLearnt : why}</p>
      {run.model === undefined ? (
        <button type="button" onClick={() => void saveIt()}>
          {saveLearnt}
        </button>
      ) : (
        <>
          <button
            type="button"
            class={use.kind === "ready" ? "secondary" : undefined}
            aria-disabled={modelUse.isLoading.value}
            onClick={() => void state.loadModel(run)}
          >
            {modelUse.isLoading.value ? loading : load}
          </button>
          {use.kind === "ready" ? <Ready state={state} found={found} trained={use.trained} /> : null}
        </>
      )}
      <Live role="alert" class="refusal" text={modelUse.problem.value} />
    </section>
  );
}

function Ready({ state, found, trained }: { state: PageState; found: DataFound | undefined; trained: TrainedModel }) {
  const { version, save, saveHint } = words.model;
  const files = [
    ["model.json", trained.description, "application/json"],
    ["weights.bin", trained.weights as BlobPart, "application/octet-stream"],
  ] as const;
  return (
    <>
      <p>{version(trained.version, trained.weights.length)}</p>
      {trained.data.kind === "text" ? (
        <WriteForm state={state} window={trained.data.shape[0] ?? 0} />
      ) : (
        <Trial state={state} found={found} data={trained.data} />
      )}
      <p class="buttons">
        {files.map(([name, content, type]) => (
          <button
            key={name}
            type="button"
            class="secondary"
            onClick={() => saveFile(name, new Blob([content], { type }))}
          >
            {save(name)}
          </button>
        ))}
      </p>
      <p class="hint">{saveHint}</p>
    </>
  );
}

/** Ways to show the model one example, and its answer. */
function Trial({ state, found, data }: { state: PageState; found: DataFound | undefined; data: DataSpec }) {
  const { draw, picture, type, rate } = words.model;
  const { answer } = state.modelUse;
  const { features = [], categorical = [] } = found ?? {};
  const classes = found?.classes.map(({ name }) => name) ?? Array.from({ length: data.classes }, (_, i) => `${i}`);
  const ask = (example: Example) => void state.askModel(example);
  const askFeatures = (features: Float32Array) => ask({ kind: "features", features });
  return (
    <div class="columns-two">
      {data.shape.join() === "28,28,1" ? (
        <div>
          <h3>{draw}</h3>
          <DigitPad onDrawn={askFeatures} onCleared={() => state.modelUse.clear()} />
        </div>
      ) : null}
      {data.kind === "images" ? (
        <div>
          <h3>{picture}</h3>
          <PictureForm shape={data.shape} onPicked={(file) => ask({ kind: "picture", file })} />
        </div>
      ) : null}
      {data.kind === "table" || data.kind === "sparse" ? (
        <div>
          <h3>{type}</h3>
          {features.length > 0 ? (
            <RowForm features={features} categorical={categorical} onTyped={askFeatures} />
          ) : (
            <LineForm features={data.shape[0] ?? 0} onTyped={(line) => ask({ kind: "line", line })} />
          )}
        </div>
      ) : null}
      {data.kind === "ratings" ? (
        <div>
          <h3>{rate}</h3>
          <RatingForm users={data.users ?? 0} items={data.items ?? 0} onChosen={askFeatures} />
        </div>
      ) : null}
      {data.target === "number" ? (
        <Predicted number={answer.value?.[0]} />
      ) : (
        <Answer probabilities={answer.value} classes={classes} />
      )}
    </div>
  );
}

function Predicted({ number }: { number: number | undefined }) {
  const { answer, nothing } = words.model;
  return (
    <div class="answer" role="status">
      <p>{number === undefined ? nothing : answer(`${Number(number.toPrecision(4))}`)}</p>
    </div>
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

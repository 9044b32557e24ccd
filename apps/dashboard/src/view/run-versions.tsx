import { useSignal } from "@preact/signals";
import { isOver, type ModelRecord, type RunRecord, routes } from "@tributary/protocol";
import type { Dashboard } from "../dashboard.ts";
import { leadingFigure } from "../figures.ts";
import { bytes, count } from "../format.ts";
import { useResource } from "../use-resource.ts";
import { figureName, words } from "../words.ts";
import { CommandButton } from "./command-button.tsx";
import { Confirm, type Question } from "./confirm.tsx";
import { Pending } from "./pending.tsx";
import { behindRun, RestLinks } from "./rest.tsx";
import { Figure, Moment } from "./value.tsx";
import { type Column, VirtualTable } from "./virtual-table.tsx";

const text = words.versions;

/** Every version of the run's model, newest first: saved, or served again. */
export function RunVersions({ run, dashboard }: { run: RunRecord; dashboard: Dashboard }) {
  const models = useResource<ModelRecord[]>(dashboard, routes.models(run.run));
  const asked = useSignal<Question | undefined>(undefined);
  const isQuiet = isOver(run.phase) || run.phase === "paused" || run.phase === "created";
  const underWay = dashboard.underWay.value.get(run.run);
  const leading = leadingFigure(Object.assign({}, ...(models ?? []).map(({ metrics }) => metrics)))?.[0];
  const rollBack = ({ version }: ModelRecord) => {
    const { consequence, yes } = text;
    const onYes = () => void dashboard.rollBack(run.run, version);
    asked.value = { question: text.rolling(version), consequence, yes, onYes };
  };
  const columns: Column<ModelRecord>[] = [
    {
      heading: text.version,
      cell: (model) => (
        <span title={model.sha256}>
          {model.version} {model.restoredFrom === undefined ? null : <em>({text.restored(model.restoredFrom)})</em>}
        </span>
      ),
    },
    { heading: words.round, cell: ({ round }) => count(round) },
    ...(leading === undefined
      ? []
      : [
          {
            heading: figureName(leading),
            cell: (model: ModelRecord) => <Figure name={leading} value={model.metrics[leading]} />,
          },
        ]),
    { heading: text.size, cell: (model) => bytes(model.bytes) },
    { heading: text.created, cell: ({ createdAt }) => <Moment at={createdAt} /> },
    { heading: text.download, cell: (model) => <Downloads model={model} dashboard={dashboard} /> },
    {
      heading: text.back,
      cell: (model) =>
        model.version === run.modelVersion ? (
          <span class="soft">{text.served}</span>
        ) : (
          <CommandButton
            class="inline"
            label={text.backNamed(model.version)}
            isHeld={!isQuiet || underWay !== undefined}
            onPress={() => rollBack(model)}
          >
            {underWay === `${model.version}` ? text.backNow : text.back}
          </CommandButton>
        ),
    },
  ];
  return (
    <>
      <section class="card">
        <h2>{text.title}</h2>
        <p class="soft small">{isQuiet ? " " : text.busy}</p>
        <VirtualTable
          label={text.title}
          rows={models?.toReversed()}
          keyOf={({ version }) => version}
          columns={columns}
          none={text.none}
          pending={<Pending dashboard={dashboard} path={routes.models(run.run)} />}
        />
        <Confirm asked={asked.value} onClose={() => (asked.value = undefined)} />
      </section>
      <RestLinks
        resources={[
          ...behindRun(run),
          { path: routes.models(run.run) },
          { path: routes.modelJson(run.run, run.modelVersion) },
          { path: routes.modelWeights(run.run, run.modelVersion) },
          { method: "POST", path: routes.rollback(run.run), body: { version: Math.max(0, run.modelVersion - 1) } },
        ]}
      />
    </>
  );
}

function Downloads({ model, dashboard }: { model: ModelRecord; dashboard: Dashboard }) {
  const save = (file: "model.json" | "weights.bin") => {
    const path = file === "model.json" ? routes.modelJson : routes.modelWeights;
    void dashboard.download(path(model.run, model.version), file);
  };
  return (
    <>
      {(["model.json", "weights.bin"] as const).map((file) => (
        <button
          key={file}
          type="button"
          class="inline"
          aria-label={`${file}, ${text.version} ${model.version}`}
          onClick={() => save(file)}
        >
          {file}
        </button>
      ))}
    </>
  );
}

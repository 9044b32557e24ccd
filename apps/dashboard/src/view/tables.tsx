import { useSignal } from "@preact/signals";
import { type ClientRecord, type ModelRecord, type RoundRecord, routes } from "@tributary/protocol";
import type { ComponentChildren } from "preact";
import type { Dashboard } from "../dashboard.ts";
import { bytes, count, metric, percent, seconds } from "../format.ts";
import { words } from "../words.ts";

const shownAtFirst = 20;

/** Committed rounds, newest first. */
export function RoundTable({ rounds }: { rounds: readonly RoundRecord[] | undefined }) {
  const { title, none, headings, all } = words.rounds;
  return (
    <LongTable
      rows={rounds?.toReversed()}
      text={{ title, none, headings, all }}
      row={(round) => (
        <tr key={round.round}>
          <th scope="row">{count(round.round)}</th>
          <td>{percent(round.evaluation?.["accuracy"])}</td>
          <td>{metric(round.evaluation?.["loss"])}</td>
          <td title={round.dropped.map(({ client, reason }) => `${client}: ${reason}`).join("\n")}>
            {count(round.survivors.length)} {words.rounds.of} {count(round.cohort.length)}
          </td>
          <td>{seconds(Object.values(round.seconds).reduce((sum, part) => sum + part, 0))}</td>
          <td>{bytes(round.bytesUp)}</td>
          <td>{bytes(round.bytesDown)}</td>
        </tr>
      )}
    />
  );
}

/** The devices that offer themselves for the run. */
export function DeviceTable({ clients }: { clients: readonly ClientRecord[] | undefined }) {
  const { title, none, headings } = words.devices;
  return (
    <LongTable
      rows={clients}
      text={{ title, none, headings, all: words.rounds.all }}
      row={(client) => (
        <tr key={client.client}>
          <th scope="row" title={client.client}>
            {client.name}
          </th>
          <td>{client.engine}</td>
          <td>{client.tags.join(", ") || "–"}</td>
          <td>{count(client.contributions)}</td>
        </tr>
      )}
    />
  );
}

/** Every version of the run's model, newest first. */
export function ModelTable(props: { models: readonly ModelRecord[] | undefined; dashboard: Dashboard }) {
  const { title, none, headings, all, restored } = words.models;
  const save = (model: ModelRecord, file: "model.json" | "weights.bin") => {
    const path = file === "model.json" ? routes.modelJson : routes.modelWeights;
    void props.dashboard.download(path(model.run, model.version), file);
  };
  return (
    <LongTable
      rows={props.models?.toReversed()}
      text={{ title, none, headings, all }}
      row={(model) => (
        <tr key={model.version}>
          <th scope="row" title={model.sha256}>
            {model.version} {model.restoredFrom === undefined ? null : <em>({restored(model.restoredFrom)})</em>}
          </th>
          <td>{count(model.round)}</td>
          <td>{percent(model.metrics["accuracy"])}</td>
          <td>{bytes(model.bytes)}</td>
          <td>
            {(["model.json", "weights.bin"] as const).map((file) => (
              <button
                key={file}
                type="button"
                class="inline"
                aria-label={`${file}, ${words.models.headings[0]} ${model.version}`}
                onClick={() => save(model, file)}
              >
                {file}
              </button>
            ))}
          </td>
        </tr>
      )}
    />
  );
}

function LongTable<Row>(props: {
  rows: readonly Row[] | undefined;
  text: { title: string; none: string; headings: readonly string[]; all: (count: number) => string };
  row: (row: Row) => ComponentChildren;
}) {
  const all = useSignal(false);
  const { rows, text } = props;
  const shown = all.value ? rows : rows?.slice(0, shownAtFirst);
  return (
    <section class="card">
      <h2>{text.title}</h2>
      {rows === undefined ? <p class="soft">{words.loading}</p> : null}
      {rows?.length === 0 ? <p class="soft">{text.none}</p> : null}
      {shown === undefined || shown.length === 0 ? null : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
        <section class="scroll" tabIndex={0} aria-label={text.title}>
          <table>
            <thead>
              <tr>
                {text.headings.map((heading) => (
                  <th key={heading} scope="col">
                    {heading}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>{shown.map(props.row)}</tbody>
          </table>
        </section>
      )}
      {rows !== undefined && rows.length > shownAtFirst && !all.value ? (
        <button type="button" class="secondary" onClick={() => (all.value = true)}>
          {text.all(rows.length)}
        </button>
      ) : null}
    </section>
  );
}

import { useSignal } from "@preact/signals";
import { type RunRecord, routes } from "@tributary/protocol";
import { actionsFor, type Dashboard } from "../dashboard.ts";
import { bytes, count, metric, percent, seconds } from "../format.ts";
import { words } from "../words.ts";
import { Curve } from "./curve.tsx";
import { Phase, roundsOf } from "./run-list.tsx";
import { DeviceTable, ModelTable, RoundTable } from "./tables.tsx";

/** One run: what can be done with it, how it goes, and everything behind it. */
export function RunView({ dashboard }: { dashboard: Dashboard }) {
  const run = dashboard.run.value;
  if (dashboard.selected.value === undefined) return <p class="soft choose">{words.choose}</p>;
  if (run === undefined) {
    const text = dashboard.runs.value === undefined ? words.loading : words.unknownRun;
    return <p class="soft choose">{text}</p>;
  }
  const details = dashboard.details.value;
  return (
    <article>
      <a class="back" href="#/">
        ← {words.back}
      </a>
      <div class="title">
        <h1>{run.name}</h1>
        <Phase run={run} />
      </div>
      <p class="soft id">{run.run}</p>
      {run.reason === undefined ? null : <p class={run.phase === "failed" ? "bad" : "soft"}>{run.reason}</p>}
      <Actions key={run.run} run={run} dashboard={dashboard} />
      <Figures run={run} dashboard={dashboard} />
      <section class="card">
        <h2>{words.curve.title}</h2>
        <Curve rounds={details?.rounds} />
      </section>
      <RoundTable rounds={details?.rounds} />
      <DeviceTable clients={details?.clients} />
      <ModelTable models={details?.models} dashboard={dashboard} />
      <Resources run={run} />
    </article>
  );
}

function Actions({ run, dashboard }: { run: RunRecord; dashboard: Dashboard }) {
  const asking = useSignal(false);
  const busy = useSignal(false);
  const carryOut = async (action: "start" | "pause" | "resume" | "stop") => {
    busy.value = true;
    asking.value = false;
    await dashboard.command(action);
    busy.value = false;
  };
  const actions = actionsFor(run);
  if (actions.length === 0) return null;
  if (asking.value) {
    return (
      <fieldset class="actions">
        <legend>{words.stopping.question}</legend>
        <button type="button" class="danger" onClick={() => void carryOut("stop")}>
          {words.stopping.yes}
        </button>
        <button
          type="button"
          class="secondary"
          onClick={() => {
            asking.value = false;
          }}
        >
          {words.stopping.no}
        </button>
      </fieldset>
    );
  }
  return (
    <div class="actions">
      {actions.map((action) => (
        <button
          key={action}
          type="button"
          class={action === "stop" ? "secondary" : ""}
          disabled={busy.value}
          onClick={() => {
            if (action === "stop") asking.value = true;
            else void carryOut(action);
          }}
        >
          {words.action[action]}
        </button>
      ))}
    </div>
  );
}

function Figures({ run, dashboard }: { run: RunRecord; dashboard: Dashboard }) {
  const { rounds, clients } = dashboard.details.value ?? {};
  const last = rounds?.at(-1);
  const wall = last === undefined ? undefined : Object.values(last.seconds).reduce((sum, part) => sum + part, 0);
  const figures: [string, string][] = [
    [words.figure.round, `${count(run.round)} ${words.rounds.of} ${count(roundsOf(run))}`],
    [words.figure.accuracy, percent(run.metrics["accuracy"])],
    [words.figure.loss, metric(run.metrics["loss"])],
    [words.figure.devices, clients === undefined ? "–" : count(clients.length)],
    [words.figure.seconds, wall === undefined ? "–" : seconds(wall)],
    [words.figure.bytes, last === undefined ? "–" : bytes(last.bytesUp + last.bytesDown)],
  ];
  return (
    <dl class="figures">
      {figures.map(([name, value]) => (
        <div key={name} class="card">
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Resources({ run }: { run: RunRecord }) {
  const paths = [
    routes.run(run.run),
    routes.rounds(run.run),
    routes.runClients(run.run),
    routes.models(run.run),
    `${routes.runEvents(run.run)}?after=0`,
  ];
  return (
    <section class="card">
      <h2>{words.resources}</h2>
      <ul class="resources">
        {paths.map((path) => (
          <li key={path}>
            <a href={path} target="_blank" rel="noreferrer">
              GET {path}
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

import type { RunRecord } from "@tributary/protocol";
import type { Dashboard } from "../dashboard.ts";
import { metric, percent } from "../format.ts";
import { words } from "../words.ts";

/** Every run, newest first. */
export function RunList({ dashboard }: { dashboard: Dashboard }) {
  const runs = dashboard.runs.value;
  // The page has one main heading: the run's name, where one is chosen.
  const Heading = dashboard.run.value === undefined ? "h1" : "h2";
  return (
    <nav class="runs" aria-label={words.runs}>
      <Heading class="heading">{words.runs}</Heading>
      {runs === undefined ? <p class="soft">{words.loading}</p> : null}
      {runs?.length === 0 ? (
        <div class="card">
          <h2>{words.noRuns}</h2>
          <p class="soft">{words.noRunsHint}</p>
          <code>{words.noRunsCommand}</code>
        </div>
      ) : null}
      <ul>
        {runs?.toReversed().map((run) => (
          <li key={run.run}>
            <RunCard run={run} current={run.run === dashboard.selected.value} />
          </li>
        ))}
      </ul>
    </nav>
  );
}

function RunCard({ run, current }: { run: RunRecord; current: boolean }) {
  const { accuracy, loss } = run.metrics;
  const figure = accuracy === undefined ? (loss === undefined ? "" : metric(loss)) : percent(accuracy);
  return (
    <a class="card" href={`#/runs/${run.run}`} aria-current={current ? "page" : undefined}>
      <strong>{run.name}</strong>
      <span class="row">
        <Phase run={run} />
        <span class="soft">
          {words.figure.round} {run.round} {words.rounds.of} {roundsOf(run)}
        </span>
        <span class="figure">{figure}</span>
      </span>
    </a>
  );
}

/** Where a run is, in a word. */
export function Phase({ run }: { run: RunRecord }) {
  return <span class={`phase ${run.phase}`}>{words.phase[run.phase]}</span>;
}

/** How many rounds a run is to have. */
export function roundsOf({ spec }: RunRecord): number {
  return (spec as { stop: { rounds: number } }).stop.rounds;
}

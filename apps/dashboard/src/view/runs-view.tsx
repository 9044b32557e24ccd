import { useSignal } from "@preact/signals";
import type { RoundSummary, RunRecord } from "@tributary/protocol";
import { routes } from "@tributary/protocol";
import type { Dashboard } from "../dashboard.ts";
import { figureOf, figureText, leadingFigure, specOf } from "../figures.ts";
import { count } from "../format.ts";
import { sketchPath } from "../paths.ts";
import { link } from "../place.ts";
import { useResource } from "../use-resource.ts";
import { figureName, words } from "../words.ts";
import { PendingRuns } from "./pending.tsx";
import { RestLinks } from "./rest.tsx";
import { Phase, Protection } from "./run-badges.tsx";
import { RunReason } from "./run-reason.tsx";
import { Sparkline } from "./sparkline.tsx";
import { Unknown } from "./value.tsx";

const page = 24;

/** Every run at a glance, newest first. */
export function RunsView({ dashboard }: { dashboard: Dashboard }) {
  const wanted = useSignal("");
  const pages = useSignal(1);
  const runs = dashboard.runs.value;
  const marked = dashboard.marked.value;
  const fitting = runs?.toReversed().filter(({ name }) => name.toLowerCase().includes(wanted.value.toLowerCase()));
  const shown = fitting?.slice(0, page * pages.value);
  const rest = (fitting?.length ?? 0) - (shown?.length ?? 0);
  return (
    <>
      <div class="title">
        <h1>{words.runs}</h1>
        {(runs?.length ?? 0) > 6 ? (
          <input
            class="find"
            type="search"
            aria-label={words.overview.filter}
            placeholder={words.overview.filter}
            value={wanted.value}
            onInput={(event) => {
              wanted.value = event.currentTarget.value;
            }}
          />
        ) : null}
        <div class="actions end">
          {marked.length < 2 ? null : (
            <a class="button secondary" href={link.compare(marked)}>
              {words.overview.compareOf(marked.length)}
            </a>
          )}
          <a class="button" href={link.fresh()}>
            {words.newRun}
          </a>
        </div>
      </div>
      <PendingRuns dashboard={dashboard} />
      {runs?.length === 0 ? (
        <section class="card empty">
          <h2>{words.overview.none}</h2>
          <p class="soft">{words.overview.hint}</p>
          <code>{words.overview.command}</code>
        </section>
      ) : null}
      {runs !== undefined && runs.length > 0 && fitting?.length === 0 ? (
        <p class="soft">{words.overview.noneFits}</p>
      ) : null}
      {shown === undefined || shown.length === 0 ? null : (
        <ul class="runs">
          {shown.map((run) => (
            <li key={run.run}>
              <RunCard run={run} dashboard={dashboard} />
            </li>
          ))}
        </ul>
      )}
      {rest > 0 ? (
        <button type="button" class="secondary" onClick={() => (pages.value += 1)}>
          {words.overview.more(rest)}
        </button>
      ) : null}
      {/* Not before the cards, which would push it down. */}
      {runs === undefined ? null : (
        <RestLinks
          resources={[{ path: routes.runs() }, { path: sketchPath("RUN") }, { path: `${routes.events()}?after=0` }]}
        />
      )}
    </>
  );
}

function RunCard({ run, dashboard }: { run: RunRecord; dashboard: Dashboard }) {
  const history = useResource<RoundSummary[]>(dashboard, sketchPath(run.run));
  const leading = leadingFigure(run.metrics);
  const values = leading === undefined ? [] : (history ?? []).flatMap((round) => figureOf(round, leading[0]) ?? []);
  const { rounds } = specOf(run).stop;
  const devices = run.devices ?? 0;
  return (
    <div class={`card run ${run.phase}`}>
      <div class="row">
        <a class="cover" href={link.run(run.run)}>
          {run.name}
        </a>
        <label class="mark" title={words.overview.compare}>
          <input
            type="checkbox"
            aria-label={words.overview.mark(run.name)}
            checked={dashboard.marked.value.includes(run.run)}
            onChange={(event) => dashboard.mark(run.run, event.currentTarget.checked)}
          />
        </label>
      </div>
      <div class="row">
        <Phase run={run} />
        <Protection run={run} />
      </div>
      <div class="sketch">
        <Sparkline values={values} />
        <p class="figure">
          {leading === undefined ? <Unknown why={words.unknown.noRound} /> : figureText(...leading)}
          <small>{leading === undefined ? words.figure.none : figureName(leading[0])}</small>
        </p>
      </div>
      <progress max={rounds} value={run.round} aria-label={words.round} />
      <div class="row soft">
        <span>
          {words.round} {count(run.round)} {words.of} {count(rounds)}
        </span>
        <span>{devices === 1 ? words.overview.oneDevice : words.overview.devices(count(devices))}</span>
      </div>
      <RunReason run={run} />
    </div>
  );
}

import { useSignal } from "@preact/signals";
import { isOver, type RoundSummary, type RunRecord, routes, trafficOf, wallSecondsOf } from "@tributary/protocol";
import type { ComponentChildren } from "preact";
import type { Dashboard } from "../dashboard.ts";
import {
  figureNames,
  figureOf,
  figureText,
  isShare,
  leadingFigure,
  secondsOf,
  specOf,
  timeParts,
  timePartsOf,
} from "../figures.ts";
import { bytes, count, seconds } from "../format.ts";
import { historyPath } from "../paths.ts";
import { useResource } from "../use-resource.ts";
import { figureName, words } from "../words.ts";
import { Chart, type Series } from "./chart.tsx";
import { Losses } from "./losses.tsx";
import { OpenAttempt } from "./open-attempt.tsx";
import { Fault } from "./pending.tsx";
import { behindRun, RestLinks } from "./rest.tsx";
import { Unknown } from "./value.tsx";

const colours = ["--series-1", "--series-2", "--series-3", "--series-4", "--series-5", "--series-6"] as const;
const dashes = [undefined, [6, 4], [2, 3], [10, 4, 2, 4]] as const;

/** A run's figures and curves. */
export function RunOverview({ run, dashboard }: { run: RunRecord; dashboard: Dashboard }) {
  const path = historyPath(run.run);
  const history = useResource<RoundSummary[]>(dashboard, path);
  return (
    <>
      <Figures run={run} last={history?.at(-1)} />
      {isOver(run.phase) || run.phase === "created" ? null : <OpenAttempt run={run} dashboard={dashboard} />}
      <Fault dashboard={dashboard} path={path} />
      {history === undefined && dashboard.at(path).fault.value !== undefined ? null : (
        <>
          <Reports history={history} />
          <div class="halves">
            <Seconds run={run} history={history ?? []} />
            <Cohorts history={history ?? []} />
            <Traffic history={history ?? []} />
          </div>
        </>
      )}
      <Losses run={run.run} history={history ?? []} />
      <RestLinks
        resources={[
          ...behindRun(run),
          { path: historyPath(run.run) },
          { path: routes.timeline(run.run, run.round + 1) },
          { path: `${routes.runEvents(run.run)}?after=0` },
        ]}
      />
    </>
  );
}

function Figures({ run, last }: { run: RunRecord; last: RoundSummary | undefined }) {
  const leading = leadingFigure(run.metrics);
  const unknown = <Unknown why={words.unknown.noRound} />;
  const figures: [string, ComponentChildren][] = [
    [words.figure.round, `${count(run.round)} ${words.of} ${count(specOf(run).stop.rounds)}`],
    leading === undefined ? [words.figure.none, unknown] : [figureName(leading[0]), figureText(...leading)],
    [words.figure.devices, count(run.devices ?? 0)],
    [words.figure.inSum, last === undefined ? unknown : `${count(last.survived)} ${words.of} ${count(last.asked)}`],
    [words.figure.seconds, last === undefined ? unknown : seconds(wallSecondsOf(last))],
    [words.figure.bytes, last === undefined ? unknown : bytes(trafficOf(last).up + trafficOf(last).down)],
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

/** Whatever the algorithm reports, two figures to begin with. */
function Reports({ history }: { history: readonly RoundSummary[] | undefined }) {
  const chosen = useSignal<readonly string[] | undefined>(undefined);
  const rounds = history ?? [];
  const names = figureNames(rounds);
  const drawn = chosen.value?.filter((name) => names.includes(name)) ?? names.slice(0, 2);
  // Rounds that were not judged would tear the curve of what was.
  const told = rounds.filter((round) => drawn.some((name) => figureOf(round, name) !== undefined));
  const series = drawn.map(
    (name, index): Series => ({
      label: figureName(name),
      values: told.map((round) => figureOf(round, name) ?? null),
      colour: colours[names.indexOf(name) % colours.length]!,
      scale: isShare(name) ? "share" : name,
      text: (value) => figureText(name, value),
      ...(dashes[index] === undefined ? {} : { dash: dashes[index] }),
    }),
  );
  return (
    <section class="card">
      <h2>{words.curves.title}</h2>
      <fieldset class="chips" aria-label={words.curves.choose}>
        {names.map((name) => (
          <label key={name} class="chip">
            <input
              type="checkbox"
              checked={drawn.includes(name)}
              onChange={(event) => {
                const others = drawn.filter((other) => other !== name);
                chosen.value = event.currentTarget.checked ? [...others, name].slice(-4) : others;
              }}
            />
            {figureName(name)}
          </label>
        ))}
      </fieldset>
      <Chart
        x={told.map(({ round }) => round)}
        series={series}
        height={260}
        described={words.curves.described(series.map(({ label }) => label).join(", "))}
        empty={history === undefined ? words.loading : words.curves.empty}
      />
    </section>
  );
}

function Seconds({ run, history }: { run: RunRecord; history: readonly RoundSummary[] }) {
  const parts = history.map(secondsOf);
  const used = timePartsOf(run);
  // A stack: each layer is drawn up to the sum of those below it, the highest first.
  const layers = used.map((part, index): Series => {
    const below = used.slice(0, index + 1);
    return {
      label: words.time.parts[part],
      values: parts.map((one) => below.reduce((sum, name) => sum + one[name], 0)),
      own: parts.map((one) => one[part]),
      colour: colours[timeParts.indexOf(part)]!,
      scale: "seconds",
      filled: true,
      pattern: timeParts.indexOf(part),
      text: seconds,
    };
  });
  return (
    <section class="card">
      <h2>{words.time.title}</h2>
      <Chart
        x={history.map(({ round }) => round)}
        series={layers.toReversed()}
        described={words.time.described}
        empty={words.time.empty}
      />
    </section>
  );
}

function Cohorts({ history }: { history: readonly RoundSummary[] }) {
  const series: Series[] = [
    {
      label: words.cohort.asked,
      values: history.map(({ asked }) => asked),
      colour: "--series-2",
      scale: "clients",
      fromZero: true,
      dash: [6, 4],
      text: count,
    },
    {
      label: words.cohort.survived,
      values: history.map(({ survived }) => survived),
      colour: "--series-1",
      scale: "clients",
      text: count,
    },
  ];
  return (
    <section class="card">
      <h2>{words.cohort.title}</h2>
      <Chart
        x={history.map(({ round }) => round)}
        series={series}
        described={words.cohort.described}
        empty={words.cohort.empty}
      />
    </section>
  );
}

function Traffic({ history }: { history: readonly RoundSummary[] }) {
  const of = (label: string, pick: (round: RoundSummary) => number, colour: string): Series => {
    return { label, values: history.map(pick), colour, scale: "bytes", fromZero: true, text: bytes };
  };
  return (
    <section class="card">
      <h2>{words.traffic.title}</h2>
      <Chart
        x={history.map(({ round }) => round)}
        series={[
          of(words.traffic.up, (round) => trafficOf(round).up, "--series-1"),
          { ...of(words.traffic.down, (round) => trafficOf(round).down, "--series-2"), dash: [6, 4] },
        ]}
        described={words.traffic.described}
        empty={words.traffic.empty}
      />
    </section>
  );
}

import { useSignal } from "@preact/signals";
import { type RoundSummary, type RunRecord, routes } from "@tributary/protocol";
import { useRef } from "preact/hooks";
import type { Dashboard } from "../dashboard.ts";
import { figureNames, figureOf, figureText } from "../figures.ts";
import { bytes, count, seconds } from "../format.ts";
import { historyPath } from "../paths.ts";
import { link } from "../place.ts";
import { useResources } from "../use-resource.ts";
import { figureName, words } from "../words.ts";
import { Chart, type Series } from "./chart.tsx";
import { ComparedRuns, labelsOf } from "./compared-runs.tsx";
import { LineSample, type LineStyle, lineStyle } from "./line-sample.tsx";
import { Fault, PendingRuns } from "./pending.tsx";
import { RestLinks } from "./rest.tsx";
import { Unknown } from "./value.tsx";

const text = words.compare;

interface Compared {
  readonly run: RunRecord;
  readonly label: string;
  readonly line: LineStyle;
  /** Undefined until it has come. */
  readonly history: readonly RoundSummary[] | undefined;
}

/** Some runs' curves of one figure in one drawing. */
export function CompareView({ dashboard, runs }: { dashboard: Dashboard; runs: readonly string[] }) {
  const chosen = useSignal<string | undefined>(undefined);
  // A run that was taken out keeps its place, so that the others keep their colours, and it can be put back.
  const seen = useRef<readonly string[]>([]);
  seen.current = [...seen.current, ...runs.filter((run) => !seen.current.includes(run))];
  const all = dashboard.runs.value ?? [];
  const listed = seen.current.flatMap((id) => all.find(({ run }) => run === id) ?? []);
  const labels = labelsOf(listed);
  const wanted = listed.filter(({ run }) => runs.includes(run));
  const histories = useResources<RoundSummary[]>(
    dashboard,
    wanted.map(({ run }) => historyPath(run)),
  );
  const compared = wanted.map((run, index): Compared => {
    const line = lineStyle(seen.current.indexOf(run.run));
    return { run, label: labels.get(run.run)!, line, history: histories[index] };
  });
  const unknown = dashboard.runs.value === undefined ? [] : runs.filter((id) => !all.some(({ run }) => run === id));
  const isComing = compared.some(
    ({ run, history }) => history === undefined && dashboard.at(historyPath(run.run)).fault.value === undefined,
  );
  const names = figureNames(compared.flatMap(({ history }) => history ?? []));
  const name = names.find((reported) => reported === chosen.value) ?? names[0];
  return (
    <article>
      <div class="title">
        <h1>{text.title}</h1>
        {name === undefined ? null : (
          <label class="inline-field end">
            {text.figure}
            <select
              value={name}
              onChange={(event) => {
                chosen.value = event.currentTarget.value;
              }}
            >
              {names.map((known) => (
                <option key={known} value={known}>
                  {figureName(known)}
                </option>
              ))}
            </select>
          </label>
        )}
      </div>
      <PendingRuns dashboard={dashboard} />
      {dashboard.runs.value === undefined ? null : (
        <ComparedRuns
          {...{ dashboard, listed, labels, chosen: runs }}
          styleOf={(run) => lineStyle(seen.current.indexOf(run))}
        />
      )}
      {unknown.length === 0 ? null : <p>{text.unknown(unknown.join(", "))}</p>}
      {dashboard.runs.value !== undefined && compared.length < 2 ? <p class="soft">{text.none}</p> : null}
      {compared.map(({ run }) => (
        <Fault key={run.run} dashboard={dashboard} path={historyPath(run.run)} />
      ))}
      {compared.length === 0 ? null : <Comparison compared={compared} name={name} isComing={isComing} />}
      <RestLinks
        resources={[{ path: routes.runs() }, ...compared.map(({ run }) => ({ path: historyPath(run.run) }))]}
      />
    </article>
  );
}

function Comparison({
  compared,
  name,
  isComing,
}: {
  compared: readonly Compared[];
  name: string | undefined;
  isComing: boolean;
}) {
  const told = compared.map((one) => ({ ...one, values: valuesOf(one.history ?? [], name) }));
  const x = [...new Set(told.flatMap(({ values }) => [...values.keys()]))].sort((a, b) => a - b);
  const series = told.map(
    ({ label, values, line }): Series => ({
      ...line,
      label,
      values: x.map((round) => values.get(round) ?? null),
      scale: "figure",
      text: (value) => figureText(name!, value),
    }),
  );
  const [unknown, none] = [words.unknown.figure, words.unknown.noRound].map((why) => <Unknown key={why} why={why} />);
  // Accuracy is better when it is more; loss, gap and inertia when they are less.
  const best = (values: readonly number[]) => (/accuracy/i.test(name!) ? Math.max(...values) : Math.min(...values));
  return (
    <>
      <section class="card">
        <h2>{name === undefined ? text.figure : figureName(name)}</h2>
        <Chart
          x={x}
          series={x.length === 0 ? [] : series}
          height={320}
          described={text.described(name === undefined ? text.figure : figureName(name))}
          empty={isComing ? words.loading : text.empty}
        />
      </section>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard */}
      <section class="card scroll" tabIndex={0} aria-label={text.title}>
        <table>
          <thead>
            <tr>
              {[text.run, text.best, text.last, text.rounds, text.time, text.bytes].map((heading) => (
                <th key={heading} scope="col">
                  {heading}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {told.map(({ run, label, values, line }) => {
              const all = [...values.values()];
              const { totals, round } = run;
              return (
                <tr key={run.run}>
                  <th scope="row">
                    <LineSample {...line} />
                    <a href={link.run(run.run)}>{label}</a>
                  </th>
                  <td>{all.length === 0 ? unknown : figureText(name!, best(all))}</td>
                  <td>{all.length === 0 ? unknown : figureText(name!, run.metrics[name!] ?? all.at(-1))}</td>
                  <td>{count(round)}</td>
                  <td>{totals === undefined || round === 0 ? none : seconds(totals.seconds / round)}</td>
                  <td>
                    {totals === undefined || round === 0 ? none : bytes((totals.bytesUp + totals.bytesDown) / round)}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </section>
    </>
  );
}

/** A figure by round, where it was reported. */
function valuesOf(history: readonly RoundSummary[], name: string | undefined): ReadonlyMap<number, number> {
  const reported = history.flatMap((round) => {
    const value = name === undefined ? undefined : figureOf(round, name);
    return value === undefined ? [] : [[round.round, value] as const];
  });
  return new Map(reported);
}

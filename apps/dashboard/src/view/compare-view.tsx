import { useSignal } from "@preact/signals";
import { type RoundSummary, type RunRecord, routes } from "@tributary/protocol";
import { type Dashboard, historyPath } from "../dashboard.ts";
import { figureNames, figureOf, figureText } from "../figures.ts";
import { bytes, count, seconds } from "../format.ts";
import { link } from "../place.ts";
import { useResources } from "../use-resource.ts";
import { figureName, words } from "../words.ts";
import { Chart, type Series } from "./chart.tsx";
import { RestLinks } from "./rest.tsx";

const text = words.compare;
const colours = 6;
const dashes = [undefined, [6, 4], [2, 3]] as const;

interface Compared {
  readonly run: RunRecord;
  readonly history: readonly RoundSummary[];
}

/** Some runs' curves of one figure in one drawing. */
export function CompareView({ dashboard, runs }: { dashboard: Dashboard; runs: readonly string[] }) {
  const chosen = useSignal<string | undefined>(undefined);
  const known = dashboard.runs.value?.filter(({ run }) => runs.includes(run)) ?? [];
  const wanted = runs.flatMap((id) => known.find(({ run }) => run === id) ?? []);
  const histories = useResources<RoundSummary[]>(
    dashboard,
    wanted.map(({ run }) => historyPath(run)),
  );
  const compared = wanted.map((run, index): Compared => ({ run, history: histories[index] ?? [] }));
  const names = figureNames(compared.flatMap(({ history }) => history));
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
      {compared.length < 2 ? (
        <p class="soft">{dashboard.runs.value === undefined ? words.loading : text.none}</p>
      ) : null}
      {compared.length === 0 ? null : <Comparison compared={compared} name={name} />}
      <RestLinks resources={[routes.runs(), ...wanted.map(({ run }) => historyPath(run))].map((path) => ({ path }))} />
    </article>
  );
}

function Comparison({ compared, name }: { compared: readonly Compared[]; name: string | undefined }) {
  const told = compared.map(({ run, history }, index) => {
    const values = new Map(
      name === undefined
        ? []
        : history.flatMap((round) => {
            const value = figureOf(round, name);
            return value === undefined ? [] : [[round.round, value] as const];
          }),
    );
    return {
      run,
      values,
      colour: `--series-${1 + (index % colours)}`,
      dash: dashes[Math.floor(index / colours)],
    };
  });
  const x = [...new Set(told.flatMap(({ values }) => [...values.keys()]))].sort((a, b) => a - b);
  const series = told.map(
    ({ run, values, colour, dash }): Series => ({
      label: run.name,
      values: x.map((round) => values.get(round) ?? null),
      colour,
      scale: "figure",
      text: (value) => figureText(name!, value),
      ...(dash === undefined ? {} : { dash }),
    }),
  );
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
          empty={text.empty}
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
            {told.map(({ run, values, colour }) => {
              const all = [...values.values()];
              const { totals, round } = run;
              return (
                <tr key={run.run}>
                  <th scope="row">
                    <i class="swatch" style={{ background: `var(${colour})` }} aria-hidden="true" />
                    <a href={link.run(run.run)}>{run.name}</a>
                  </th>
                  <td>{all.length === 0 ? "–" : figureText(name!, best(all))}</td>
                  <td>{all.length === 0 ? "–" : figureText(name!, run.metrics[name!] ?? all.at(-1))}</td>
                  <td>{count(round)}</td>
                  <td>{totals === undefined || round === 0 ? "–" : seconds(totals.seconds / round)}</td>
                  <td>
                    {totals === undefined || round === 0 ? "–" : bytes((totals.bytesUp + totals.bytesDown) / round)}
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

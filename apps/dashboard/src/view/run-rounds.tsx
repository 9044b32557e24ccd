import { useSignal } from "@preact/signals";
import { type RoundSummary, type RunRecord, routes, trafficOf, wallSecondsOf } from "@tributary/protocol";
import type { ComponentChildren } from "preact";
import { useCallback, useMemo } from "preact/hooks";
import type { Dashboard } from "../dashboard.ts";
import { figureNames, figureOf } from "../figures.ts";
import { bytes, count, seconds } from "../format.ts";
import { pagePaths } from "../paths.ts";
import { link } from "../place.ts";
import { useResources } from "../use-resource.ts";
import { figureName, words } from "../words.ts";
import { lossesText } from "./losses.tsx";
import { Fault } from "./pending.tsx";
import { behindRun, RestLinks } from "./rest.tsx";
import { Figure, Unknown } from "./value.tsx";
import { type Column, VirtualTable } from "./virtual-table.tsx";

/** Every committed round, newest first; fetched page by page as they come into sight. */
export function RunRounds({ run, dashboard }: { run: RunRecord; dashboard: Dashboard }) {
  const rows = useMemo(() => Array.from({ length: run.round }, (_, index) => run.round - index), [run.round]);
  const sight = useSignal({ from: 0, to: 1 });
  const onSight = useCallback((from: number, to: number) => (sight.value = { from, to }), [sight]);
  const { from, to } = sight.value;
  const paths = pagePaths(run.run, Math.max(1, run.round - to + 1), run.round - from);
  const pages = useResources<RoundSummary[]>(dashboard, paths);
  const known = pages.flatMap((page) => page ?? []);
  const summaries = new Map(known.map((summary) => [summary.round, summary]));
  const reported = figureNames([run, ...known]).slice(0, 4);
  const column = (heading: string, cell: (round: RoundSummary) => ComponentChildren): Column<number> => {
    const told = (summary: RoundSummary | undefined) => (summary === undefined ? "…" : cell(summary));
    return { heading, cell: (round) => told(summaries.get(round)) };
  };
  const columns: Column<number>[] = [
    {
      heading: words.round,
      cell: (round) => <a href={link.round(run.run, round)}>{count(round)}</a>,
    },
    ...reported.map((name) =>
      column(figureName(name), (round) => <Figure name={name} value={figureOf(round, name)} />),
    ),
    column(words.rounds.inSum, ({ survived, asked }) => `${count(survived)} ${words.of} ${count(asked)}`),
    column(words.rounds.lost, (round) => lossesText(round) || <Unknown why={words.unknown.nothingLost} />),
    column(words.rounds.seconds, (round) => seconds(wallSecondsOf(round))),
    column(words.rounds.up, (round) => bytes(trafficOf(round).up)),
    column(words.rounds.down, (round) => bytes(trafficOf(round).down)),
  ];
  return (
    <>
      <section class="card">
        <h2>{words.rounds.title}</h2>
        <VirtualTable
          label={words.rounds.title}
          rows={rows}
          keyOf={(round) => round}
          columns={columns}
          none={words.rounds.none}
          onSight={onSight}
        />
        {paths.map((path) => (
          <Fault key={path} dashboard={dashboard} path={path} />
        ))}
      </section>
      <RestLinks resources={[...behindRun(run), ...[...paths, routes.rounds(run.run)].map((path) => ({ path }))]} />
    </>
  );
}

import { type RoundSummary, type RunRecord, routes, trafficOf } from "@tributary/protocol";
import { type Dashboard, historyPath } from "../dashboard.ts";
import { figureNames, figureOf, wallSeconds } from "../figures.ts";
import { bytes, count, seconds } from "../format.ts";
import { link } from "../place.ts";
import { useResource } from "../use-resource.ts";
import { figureName, words } from "../words.ts";
import { lossesText } from "./losses.tsx";
import { Pending } from "./pending.tsx";
import { behindRun, RestLinks } from "./rest.tsx";
import { Figure, Unknown } from "./value.tsx";
import { type Column, VirtualTable } from "./virtual-table.tsx";

/** Committed rounds, newest first. */
export function RunRounds({ run, dashboard }: { run: RunRecord; dashboard: Dashboard }) {
  const history = useResource<RoundSummary[]>(dashboard, historyPath(run.run));
  const reported = figureNames(history ?? []).slice(0, 4);
  const columns: Column<RoundSummary>[] = [
    {
      heading: words.round,
      cell: ({ round }) => <a href={link.round(run.run, round)}>{count(round)}</a>,
    },
    ...reported.map((name) => ({
      heading: figureName(name),
      cell: (round: RoundSummary) => <Figure name={name} value={figureOf(round, name)} />,
    })),
    {
      heading: words.rounds.inSum,
      cell: ({ survived, asked }) => `${count(survived)} ${words.of} ${count(asked)}`,
    },
    { heading: words.rounds.lost, cell: (round) => lossesText(round) || <Unknown why={words.unknown.nothingLost} /> },
    { heading: words.rounds.seconds, cell: (round) => seconds(wallSeconds(round)) },
    { heading: words.rounds.up, cell: (round) => bytes(trafficOf(round).up) },
    { heading: words.rounds.down, cell: (round) => bytes(trafficOf(round).down) },
  ];
  return (
    <>
      <section class="card">
        <h2>{words.rounds.title}</h2>
        <VirtualTable
          label={words.rounds.title}
          rows={history?.toReversed()}
          keyOf={({ round }) => round}
          columns={columns}
          none={words.rounds.none}
          pending={<Pending dashboard={dashboard} path={historyPath(run.run)} />}
        />
      </section>
      <RestLinks resources={[...behindRun(run), { path: routes.rounds(run.run) }, { path: historyPath(run.run) }]} />
    </>
  );
}

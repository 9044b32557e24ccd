import { useSignal } from "@preact/signals";
import {
  type AttemptTimeline,
  type ClientRecord,
  type Dropped,
  type RoundRecord,
  type RoundTimeline,
  type RunRecord,
  routes,
  summaryOf,
  trafficOf,
  wallSecondsOf,
} from "@tributary/protocol";
import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import type { Dashboard } from "../dashboard.ts";
import { figureText, secondsOf, timeParts } from "../figures.ts";
import { bytes, count, seconds, shortId } from "../format.ts";
import { attemptPaths, pageAttempts } from "../paths.ts";
import { link } from "../place.ts";
import { useResource, useResources } from "../use-resource.ts";
import { figureName, words } from "../words.ts";
import { NoRun } from "./no-run.tsx";
import { useLiveTimeline } from "./open-attempt.tsx";
import { Fault, Pending } from "./pending.tsx";
import { RestLinks } from "./rest.tsx";
import { Phase, Protection } from "./run-badges.tsx";
import { AttemptLanes } from "./timeline.tsx";
import { Moment } from "./value.tsx";
import { VirtualTable } from "./virtual-table.tsx";

const text = words.roundView;

/** One round: who did what when, what it cost, and who is not in its sum. */
export function RoundView({ dashboard, round }: { dashboard: Dashboard; round: number }) {
  const run = dashboard.run.value;
  if (run === undefined) return <NoRun dashboard={dashboard} />;
  return <KnownRound {...{ run, dashboard, round }} />;
}

function KnownRound({ run, dashboard, round }: { run: RunRecord; dashboard: Dashboard; round: number }) {
  const timeline = useLiveTimeline(dashboard, run.run, round);
  const from = useSignal(Number.POSITIVE_INFINITY);
  const before = timeline?.attempts[0]?.attempt ?? 1;
  const olderPaths = attemptPaths(run.run, round, { from: from.value, before });
  const older = useResources<RoundTimeline>(dashboard, olderPaths);
  const attempts = inOrder([...older, timeline].flatMap((part) => part?.attempts ?? [])).filter(
    ({ attempt }) => attempt >= Math.min(from.value, before),
  );
  const clients = useResource<ClientRecord[]>(dashboard, routes.clients());
  const names = new Map(clients?.map(({ client, name }) => [client as string, name]));
  const nameOf = (client: string) => names.get(client) ?? shortId(client);
  const isCommitted = round <= run.round;
  const paths = { timeline: routes.timeline(run.run, round), record: routes.round(run.run, round) };
  const record = useResource<RoundRecord>(dashboard, isCommitted ? paths.record : undefined);
  // All at once: a record that comes after the timeline would push about what is being read.
  const isShown = useRef(false);
  const isTold = (path: string) => dashboard.at(path).fault.value !== undefined;
  isShown.current ||=
    (timeline !== undefined || isTold(paths.timeline)) &&
    (record !== undefined || !isCommitted || isTold(paths.record));
  return (
    <article>
      <div class="heading">
        <p class="crumbs">
          <a href={link.runs()}>{words.runs}</a> <span class="soft">/</span>{" "}
          <a href={link.run(run.run, "rounds")}>{run.name}</a>
        </p>
        <div class="title">
          <h1>{text.title(round)}</h1>
          <Phase run={run} />
          <Protection run={run} />
          <nav class="actions end" aria-label={words.rounds.title}>
            {round > 1 ? (
              <a class="button secondary" href={link.round(run.run, round - 1)}>
                ← {text.earlier}
              </a>
            ) : null}
            {round <= run.round ? (
              <a class="button secondary" href={link.round(run.run, round + 1)}>
                {text.later} →
              </a>
            ) : null}
          </nav>
        </div>
      </div>
      {isShown.current ? (
        <>
          <section class="card">
            <h2>{words.timeline.title}</h2>
            <Pending dashboard={dashboard} path={paths.timeline} />
            {timeline !== undefined && attempts.length === 0 ? <p class="soft">{words.timeline.none}</p> : null}
            {timeline !== undefined && attempts.length < timeline.known ? (
              <p class="row">
                <span class="soft">{words.timeline.newest(count(attempts.length), count(timeline.known))}</span>
                <button
                  type="button"
                  class="secondary"
                  onClick={() => (from.value = Math.max(1, attempts[0]!.attempt - pageAttempts))}
                >
                  {words.timeline.older}
                </button>
              </p>
            ) : null}
            {olderPaths.map((path) => (
              <Fault key={path} dashboard={dashboard} path={path} />
            ))}
            {attempts.map((attempt) => (
              <AttemptLanes key={attempt.attempt} attempt={attempt} nameOf={nameOf} />
            ))}
          </section>
          {isCommitted ? (
            <Pending dashboard={dashboard} path={paths.record} />
          ) : (
            <p class="soft">{round === run.round + 1 ? text.open : text.yetToCome(run.round)}</p>
          )}
          {record === undefined ? null : <CommittedRound record={record} nameOf={nameOf} />}
          <RestLinks
            resources={[
              ...[routes.run(run.run), paths.timeline, ...olderPaths].map((path) => ({ path })),
              ...(isCommitted ? [{ path: paths.record }] : []),
              { path: routes.clients() },
            ]}
          />
        </>
      ) : (
        <p class="soft">{words.loading}</p>
      )}
    </article>
  );
}

/** Each attempt once, as it was told of last. */
function inOrder(attempts: readonly AttemptTimeline[]): AttemptTimeline[] {
  const known = new Map(attempts.map((attempt) => [attempt.attempt, attempt]));
  return [...known.values()].sort((a, b) => a.attempt - b.attempt);
}

function CommittedRound({ record, nameOf }: { record: RoundRecord; nameOf: (client: string) => string }) {
  return (
    <>
      <div class="halves">
        <section class="card">
          <h2>{text.metrics}</h2>
          <Facts facts={factsOf(record)} />
        </section>
        <section class="card">
          <h2>{text.figures}</h2>
          <Facts
            facts={Object.entries({ ...record.metrics, ...record.evaluation }).map(([name, value]) => [
              figureName(name),
              figureText(name, value),
            ])}
          />
        </section>
      </div>
      <section class="card">
        <h2>{text.dropped}</h2>
        {record.dropped.length === 0 ? (
          <p class="soft">{text.noneDropped}</p>
        ) : (
          <VirtualTable<Dropped>
            label={text.dropped}
            rows={record.dropped}
            keyOf={({ client }) => client}
            columns={[
              {
                heading: text.headings.client,
                cell: ({ client }) => <span title={client}>{nameOf(client)}</span>,
              },
              { heading: text.headings.step, cell: ({ step }) => step },
              { heading: text.headings.reason, cell: ({ reason }) => reason },
            ]}
            none={text.noneDropped}
          />
        )}
      </section>
    </>
  );
}

type Fact = readonly [name: string, value: ComponentChildren];

function factsOf(record: RoundRecord): Fact[] {
  const summary = summaryOf(record);
  const parts = secondsOf(summary);
  return [
    [words.cohort.survived, `${count(summary.survived)} ${words.of} ${count(summary.asked)}`],
    [words.rounds.attempt, count(record.attempt)],
    [text.model, count(record.modelVersion)],
    [words.rounds.committed, <Moment key="at" at={record.committedAt} />],
    [text.wall, seconds(wallSecondsOf(summary))],
    ...timeParts.filter((part) => parts[part] > 0).map((part): Fact => [words.time.parts[part], seconds(parts[part])]),
    [words.rounds.up, bytes(trafficOf(record).up)],
    [words.rounds.down, bytes(trafficOf(record).down)],
  ];
}

function Facts({ facts }: { facts: readonly Fact[] }) {
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

import type { OpenRun } from "../open-runs.ts";
import type { PageState } from "../page-state.ts";
import { words } from "../words.ts";

/** What a person lets themselves in for with the chosen run: what leaves, what stays, what protects it, what it costs. */
export function AboutSection({ state, run }: { state: PageState; run: OpenRun }) {
  const { title, leavesTitle, staysTitle, stays, guardTitle, costTitle, learns } = words.about;
  return (
    <section class="card about" aria-labelledby="about">
      <h2 id="about">{title}</h2>
      <p>{learns(run.name, new URL(state.address.coordinator).host, run.data, run.round, run.rounds)}</p>
      <div class="columns-two">
        <Points title={leavesTitle} points={leavesOf(run)} />
        <Points title={staysTitle} points={stays} />
        <Points title={guardTitle} points={guardsOf(run, state.address.operatorKey !== undefined)} />
        <Points title={costTitle} points={costsOf(state, run)} />
      </div>
    </section>
  );
}

function Points({ title, points }: { title: string; points: readonly string[] }) {
  return (
    <div>
      <h3>{title}</h3>
      <ul>
        {points.map((point) => (
          <li key={point}>{point}</li>
        ))}
      </ul>
    </div>
  );
}

function leavesOf({ secure, judged }: OpenRun): readonly string[] {
  const { update, maskedUpdate, judgement, maskedJudgement, progress, device } = words.about.leaves;
  const judgements = judged ? [secure ? maskedJudgement : judgement] : [];
  return [secure ? maskedUpdate : update, ...judgements, progress, device];
}

function guardsOf({ secure, clip, minimumSurvivors }: OpenRun, roster: boolean): readonly string[] {
  const { none, sum, smallest, clipped, noNoise } = words.about.guards;
  if (!secure) return [none, noNoise];
  return [
    `${sum} ${roster ? words.trust.roster : words.trust.nobody}`,
    smallest(minimumSurvivors),
    ...(clip === undefined ? [] : [clipped(clip)]),
    noNoise,
  ];
}

function costsOf({ size, engine, data }: PageState, { rounds, round, epochs }: OpenRun): readonly string[] {
  const { traffic, time, unknown, left, power } = words.about.costs;
  const parameters = size.value;
  const speed = engine.value.kind === "ready" ? engine.value.speed?.examplesPerSecond : undefined;
  const examples = data.value.kind === "ready" ? data.value.found.examples : undefined;
  const seconds = speed === undefined || examples === undefined ? undefined : (epochs * examples) / speed;
  return [
    left(rounds - round),
    parameters === undefined ? unknown : traffic(parameters),
    seconds === undefined ? unknown : time(seconds),
    power,
  ].filter((point, i, all) => all.indexOf(point) === i);
}

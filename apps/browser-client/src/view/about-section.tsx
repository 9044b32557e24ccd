import type { OpenRun } from "../open-runs.ts";
import type { PageState } from "../page-state.ts";
import { guardsOf, leavesOf, staysOf } from "../what-leaves.ts";
import { words } from "../words.ts";

/** What a person lets themselves in for with the chosen run: what leaves, what stays, what protects it, what it costs. */
export function AboutSection({ state, run }: { state: PageState; run: OpenRun }) {
  const { title, leavesTitle, staysTitle, guardTitle, costTitle, learns } = words.about;
  const roster = state.address.operatorKey !== undefined;
  return (
    <section class="card about" aria-labelledby="about">
      <h2 id="about">{title}</h2>
      <p>{learns(run.name, new URL(state.address.coordinator).host, run.data, run.round, run.rounds)}</p>
      <div class="columns-two">
        <Points title={leavesTitle} points={leavesOf(run)} />
        <Points title={staysTitle} points={staysOf(run)} />
        <Points title={guardTitle} points={guardsOf(run, { roster, examples: examplesOf(state) })} />
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

function costsOf({ engine, data, use }: PageState, run: OpenRun): readonly string[] {
  const { traffic, trafficUnknown, time, passes, timeUnknown, left, power } = words.about.costs;
  const { rounds, round, epochs, model } = run;
  const size = engine.size.value;
  const speed = engine.state.value.kind === "ready" ? engine.state.value.speed : undefined;
  const examples = examplesOf({ data });
  const share = use.share.value / 100;
  const seconds = speed === undefined || examples === undefined ? undefined : (epochs * examples) / speed / share;
  return [
    left(rounds - round),
    size === undefined
      ? trafficUnknown
      : traffic(size, { secure: run.secure, isOpen: run.spec.cohort.size === undefined }),
    model === undefined ? passes : seconds === undefined ? timeUnknown : time(seconds),
    power,
  ];
}

function examplesOf({ data }: Pick<PageState, "data">): number | undefined {
  return data.state.value.kind === "ready" ? data.state.value.found.examples : undefined;
}

import { type AttemptTimeline, type RoundTimeline, type RunRecord, routes } from "@tributary/protocol";
import { useEffect } from "preact/hooks";
import type { Dashboard } from "../dashboard.ts";
import { count, remaining } from "../format.ts";
import { link } from "../place.ts";
import { useNow, useResource } from "../use-resource.ts";
import { words } from "../words.ts";
import { Fault } from "./pending.tsx";

const lookAgainMs = 1_000;

/** What the run does just now: the step that is open, and how many have answered. */
export function OpenAttempt({ run, dashboard }: { run: RunRecord; dashboard: Dashboard }) {
  const training = useLiveTimeline(dashboard, run.run, run.round + 1);
  const judging = useLiveTimeline(dashboard, run.run, Math.max(1, run.round));
  const found = [training, judging].flatMap((timeline) => {
    const attempt = timeline?.attempts.find(({ outcome }) => outcome === "open");
    return attempt === undefined ? [] : [{ round: timeline!.round, attempt }];
  })[0];
  return (
    <section class="card now">
      <h2>{words.open.title}</h2>
      {found === undefined ? null : <Step run={run} {...found} />}
      {found === undefined && training !== undefined ? <p class="soft">{words.open.none}</p> : null}
      <Fault dashboard={dashboard} path={routes.timeline(run.run, run.round + 1)} />
    </section>
  );
}

function Step({ run, round, attempt }: { run: RunRecord; round: number; attempt: AttemptTimeline }) {
  const now = useNow(1_000);
  const step = attempt.steps.at(-1);
  if (step === undefined) return null;
  const left = attempt.openedAt + step.limitMs - now;
  return (
    <div class="row">
      <a href={link.round(run.run, round)}>{words.open.look(round)}</a>
      <span>{words.open.step(step.name, count(step.answered), count(step.asked))}</span>
      <progress max={step.asked} value={step.answered} aria-label={step.name} />
      <span class="soft">{left > 0 ? words.open.left(remaining(left)) : ""}</span>
    </div>
  );
}

/** A round's timeline, looked at every second while one of its attempts is open: answers are no events. */
export function useLiveTimeline(dashboard: Dashboard, run: string, round: number): RoundTimeline | undefined {
  const path = routes.timeline(run, round);
  const timeline = useResource<RoundTimeline>(dashboard, path);
  const isOpen = timeline?.attempts.some(({ outcome }) => outcome === "open") === true;
  useEffect(() => {
    if (!isOpen) return;
    const timer = setInterval(() => dashboard.at(path).stale(), lookAgainMs);
    return () => clearInterval(timer);
  }, [dashboard, path, isOpen]);
  return timeline;
}

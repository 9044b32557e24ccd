import { useSignal } from "@preact/signals";
import type { AttemptTimeline, Lane, TimelineStep } from "@tributary/protocol";
import { useRef } from "preact/hooks";
import { count, duration } from "../format.ts";
import { words } from "../words.ts";
import { useRows } from "./use-rows.ts";

const text = words.timeline;

/** One attempt: its steps one after the other, and a lane for each client, the lost and the slowest on top. */
export function AttemptLanes({ attempt, nameOf }: { attempt: AttemptTimeline; nameOf: (client: string) => string }) {
  const { steps, lanes, cohort, outcome } = attempt;
  const endMs = Math.max(1, attempt.endedMs ?? 0, ...steps.map((step) => endOf(step, attempt)));
  const ordered = lanes.toSorted((a, b) => lateness(b, steps) - lateness(a, steps));
  const box = useRef<HTMLElement>(null);
  const pointed = useSignal<string | undefined>(undefined);
  const hasAll = lanes.length < cohort;
  const keys = [...(hasAll ? [""] : []), ...ordered.map(({ client }) => client)];
  const move = useRows({ box, keys, shown: () => 10 });
  const lane = lanes.find(({ client }) => client === pointed.value);
  return (
    <div class="attempt">
      <h3>
        {text.attempt[attempt.kind](attempt.attempt)} <span class={`badge ${outcome}`}>{text.outcome[outcome]}</span>
      </h3>
      {attempt.reason === undefined ? null : <p class="bad">{attempt.reason}</p>}
      <ol class="steps">
        {steps.map((step, index) => (
          <li key={step.name}>
            <i class={`swatch step-${index % 5} pattern-${index % 5}`} aria-hidden="true" />
            {text.stepTook(
              step.name,
              duration(endOf(step, attempt) - step.openedMs),
              count(step.answered),
              count(step.asked),
            )}
          </li>
        ))}
      </ol>
      <section
        ref={box}
        class="lanes"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
        tabIndex={0}
        onKeyDown={move}
        aria-label={`${text.scroll}: ${text.attempt[attempt.kind](attempt.attempt)}`}
      >
        <table>
          <thead>
            <tr>
              <th scope="col">{text.client}</th>
              <th scope="col">
                <span class="unseen">{text.steps}</span>
                <Scale endMs={endMs} />
              </th>
              <th scope="col">{text.last}</th>
            </tr>
          </thead>
          <tbody>
            {hasAll ? (
              <tr class="everyone" aria-rowindex={2}>
                <th scope="row">{text.everyone(count(cohort))}</th>
                <td title={text.everyoneTitle}>
                  <div class="track" aria-hidden="true">
                    {steps.map((step, index) => (
                      <Spread key={step.name} {...{ step, index, endMs, attempt }} />
                    ))}
                  </div>
                </td>
                <td />
              </tr>
            ) : null}
            {ordered.map((lane, index) => (
              <LaneRow
                key={lane.client}
                {...{ lane, attempt, endMs, nameOf }}
                row={index + (hasAll ? 3 : 2)}
                onPoint={() => (pointed.value = lane.client)}
              />
            ))}
          </tbody>
        </table>
      </section>
      {/* What its bars show, in words: a reader of the page has it in the row. */}
      <p class="lane-told soft small" aria-hidden="true">
        {lane === undefined ? text.point : `${nameOf(lane.client)} (${lane.client}). ${laneText(lane, attempt)}`}
      </p>
      <p class="legend soft small">
        <span>
          <i class="swatch bar fetching" aria-hidden="true" />
          {text.fetching}
        </span>
        <span>
          <i class="swatch bar working" aria-hidden="true" />
          {text.working}
        </span>
        <span>
          <i class="swatch bar waited" aria-hidden="true" />
          {text.waited}
        </span>
        <span>
          <i class="swatch bar lost" aria-hidden="true" />
          {text.lost}
        </span>
        {hasAll ? <span>{text.sampled(count(lanes.length), count(cohort))}</span> : null}
      </p>
    </div>
  );
}

/** When one client answered, step by step, and why it was lost. */
function laneText(lane: Lane, attempt: AttemptTimeline): string {
  const steps = lane.steps.map(({ answeredMs }, index) => {
    const { name, openedMs } = attempt.steps[index]!;
    return answeredMs === undefined ? text.silent(name) : text.answered(name, duration(answeredMs - openedMs));
  });
  return [...steps, ...(lane.dropped === undefined ? [] : [lane.dropped.reason])].map((part) => `${part}. `).join("");
}

interface LaneRowProps {
  readonly lane: Lane;
  readonly attempt: AttemptTimeline;
  readonly endMs: number;
  readonly nameOf: (client: string) => string;
  readonly row: number;
  readonly onPoint: () => void;
}

function LaneRow({ lane, attempt, endMs, nameOf, row, onPoint }: LaneRowProps) {
  const last = Math.max(-1, ...lane.steps.map(({ answeredMs = -1 }) => answeredMs));
  const isLost = lane.dropped !== undefined;
  return (
    <tr class={isLost ? "lost" : ""} aria-rowindex={row} onFocus={onPoint} onMouseEnter={onPoint}>
      <th scope="row" title={lane.client}>
        {nameOf(lane.client)}
      </th>
      <td>
        <div class="track" aria-hidden="true">
          {lane.steps.map((_, index) => (
            <Bars key={attempt.steps[index]?.name ?? index} {...{ lane, index, attempt, endMs }} />
          ))}
        </div>
        <span class="unseen">
          {lane.steps.map(({ answeredMs }, index) => {
            const { name, openedMs } = attempt.steps[index]!;
            const told =
              answeredMs === undefined ? text.silent(name) : text.answered(name, duration(answeredMs - openedMs));
            return `${told}. `;
          })}
        </span>
      </td>
      <td>
        {isLost ? (
          <span class="bad" title={lane.dropped!.reason}>
            {lane.dropped!.reason}
          </span>
        ) : last < 0 ? (
          text.never
        ) : (
          duration(last)
        )}
      </td>
    </tr>
  );
}

/** One client in one step: the question on its way, the work, and the wait for the others; or nothing but silence. */
function Bars(props: { lane: Lane; index: number; attempt: AttemptTimeline; endMs: number }) {
  const { lane, index, attempt, endMs } = props;
  const step = attempt.steps[index];
  const { fetchedMs, answeredMs } = lane.steps[index]!;
  if (step === undefined) return null;
  const end = endOf(step, attempt);
  const lostBefore =
    lane.dropped !== undefined && attempt.steps.findIndex(({ name }) => name === lane.dropped!.step) < index;
  if (lostBefore) return null;
  const place = (kind: string, from: number, to: number) => (
    <i
      class={`bar ${kind} step-${index % 5} pattern-${index % 5}`}
      style={{ left: `${(100 * from) / endMs}%`, width: `${(100 * Math.max(0, to - from)) / endMs}%` }}
    />
  );
  const begun = Math.min(fetchedMs ?? step.openedMs, end);
  const isSilent = answeredMs === undefined && (lane.dropped !== undefined || step.closedMs !== undefined);
  return (
    <>
      {place("fetching", step.openedMs, begun)}
      {place(isSilent ? "lost" : "working", begun, answeredMs ?? end)}
      {answeredMs === undefined ? null : place("waited", answeredMs, end)}
    </>
  );
}

/** How many of a large cohort answered when. */
function Spread(props: { step: TimelineStep; index: number; endMs: number; attempt: AttemptTimeline }) {
  const { step, index, endMs, attempt } = props;
  const most = Math.max(1, ...step.spread);
  const width = (endOf(step, attempt) - step.openedMs) / step.spread.length;
  return (
    <>
      {step.spread.map((answered, part) => (
        <i
          key={part}
          class={`bar working step-${index % 5} pattern-${index % 5}`}
          style={{
            left: `${(100 * (step.openedMs + part * width)) / endMs}%`,
            width: `${(100 * width) / endMs}%`,
            opacity: `${answered === 0 ? 0.08 : 0.25 + (0.75 * answered) / most}`,
          }}
        />
      ))}
    </>
  );
}

function Scale({ endMs }: { endMs: number }) {
  return (
    <span class="scale" aria-hidden="true">
      {[0, 0.25, 0.5, 0.75, 1].map((part) => (
        <span key={part}>{duration(part * endMs)}</span>
      ))}
    </span>
  );
}

/** When a step ended, or for how long it has been open as far as is known. */
function endOf(step: TimelineStep, { lanes, endedMs }: AttemptTimeline): number {
  if (step.closedMs !== undefined) return step.closedMs;
  const known = lanes.flatMap(({ steps }) =>
    steps.flatMap(({ answeredMs, fetchedMs }) => [answeredMs ?? 0, fetchedMs ?? 0]),
  );
  return Math.max(endedMs ?? 0, step.openedMs + 1, ...known);
}

/** Lost clients first, then by the longest that any step had to wait for one. */
function lateness({ steps, dropped }: Lane, all: readonly TimelineStep[]): number {
  if (dropped !== undefined) return Number.POSITIVE_INFINITY;
  return Math.max(0, ...steps.map(({ answeredMs }, index) => (answeredMs ?? 0) - (all[index]?.openedMs ?? 0)));
}

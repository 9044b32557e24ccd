import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Part } from "../device/part.ts";
import type { Connection, Doing, Ending, PartState } from "../device/part-state.ts";
import type { PageState } from "../page-state.ts";
import { bytesText, words } from "../words.ts";
import { AccuracyChart } from "./accuracy-chart.tsx";
import { Curve } from "./curve.tsx";
import { DeviceControls, PauseButton } from "./device-controls.tsx";
import { Live } from "./live.tsx";
import { Protection } from "./runs-section.tsx";

/** While this device takes part, and how it ended. */
export function PartSection({ state, part }: { state: PageState; part: Part }) {
  const { run, connection, isOffered, isRetrying, doing, round, losses, log, ending, secured, known } =
    part.state.value;
  const heading = useRef<HTMLHeadingElement>(null);
  const isOver = ending !== undefined;
  const paused = state.use.paused.value;
  // What had the focus is gone: the button Join, and at the end Leave.
  useEffect(() => {
    if (document.activeElement === document.body || document.activeElement === null) heading.current?.focus();
  }, [isOver]);
  const engine = state.engine.state.value;
  return (
    <section class="card part" aria-labelledby="part">
      <h2 id="part" ref={heading} tabIndex={-1}>
        {words.part.title(run.name)}
      </h2>
      <p class={`connection ${connection.kind}`} role="status">
        {ending === undefined
          ? connectionText(connection, isRetrying)
          : endingText(ending, state.data.kept.value !== undefined)}
      </p>
      <Work part={part.state.value} />
      <Live
        role="status"
        class="status"
        text={ending === undefined && paused !== undefined ? words.use.paused[paused](isOffered) : ""}
      />
      <dl class="figures">
        <Figure
          name={words.part.round}
          value={round === 0 ? "–" : words.part.of(round, run.rounds)}
          longest={words.part.of(run.rounds, run.rounds)}
        />
        <Figure name={words.part.epoch} value={progressText(doing, "epoch", "epochs")} />
        <Figure name={words.part.batch} value={progressText(doing, "batch", "batches")} />
        <Figure name={words.part.loss} value={losses.at(-1)?.toFixed(3) ?? "–"} />
        <Figure name={words.part.updates} value={`${state.ledger.updatesOf(run.run)}`} />
        <Figure name={words.part.bytes} value={bytesText(state.ledger.bytes.value)} />
      </dl>
      {run.model === undefined ? null : <Curve losses={losses} />}
      {run.hasAccuracy ? <AccuracyChart accuracy={state.accuracy} rounds={run.rounds} /> : null}
      {engine.kind === "ready" ? (
        <p class="hint">{words.device.ready(engine.found.engine, engine.found.adapter)}</p>
      ) : null}
      <Protection secure={run.secure} />
      {secured === undefined ? null : (
        <p class="hint">
          {words.part.secured(secured.clients, secured.minimumSurvivors)} {secured.small ? words.part.small : ""}
        </p>
      )}
      {known === undefined ? null : (
        <p class="hint hash">{words.part.known(known.key, new Date(known.since).toLocaleString("en-GB"))}</p>
      )}
      {ending?.kind === "changed" ? <p>{words.part.changedWhy(ending.detail)}</p> : null}
      <p class="buttons">
        {ending === undefined ? <PauseButton use={state.use} /> : null}
        {ending === undefined ? (
          <button
            type="button"
            class="secondary"
            aria-disabled={state.leaving.value}
            onClick={() => void state.leave()}
          >
            {state.leaving.value ? words.join.leaving : words.join.leave}
          </button>
        ) : (
          <button type="button" onClick={() => state.again()}>
            {words.join.again}
          </button>
        )}
        {ending?.kind === "changed" ? (
          <button type="button" class="secondary" onClick={() => void state.trustNewKey()}>
            {words.part.trust}
          </button>
        ) : null}
      </p>
      {ending === undefined ? (
        <details>
          <summary>{words.use.title}</summary>
          <DeviceControls use={state.use} />
        </details>
      ) : null}
      <h3 id="log">{words.part.log}</h3>
      <Summary part={part.state.value} />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it */}
      <div class="log" role="log" aria-live="off" aria-labelledby="log" tabIndex={0}>
        <ol>
          {log.map(({ id, at, text }) => (
            <li key={id}>
              <time>{new Date(at).toLocaleTimeString("en-GB")}</time> {text}
            </li>
          ))}
        </ol>
      </div>
    </section>
  );
}

const mostOftenMs = 10_000;

/** For who has the page read out: a line a round, and not all of them where rounds are short. */
function Summary({ part: { sent, log } }: { part: PartState }) {
  const now = useNow();
  const said = useRef({ text: "", round: 0, at: 0 });
  if (sent.update !== said.current.round && now - said.current.at >= mostOftenMs) {
    said.current = { text: log[0]?.text ?? "", round: sent.update, at: now };
  }
  return <Live role="status" class="unseen" text={said.current.text} />;
}

/** What is done just now; after the end as tall, for what stands below it to stay where it is. */
function Work({ part: { doing: last, phase, dueAt, hint, run, ending } }: { part: PartState }) {
  const now = useNow();
  const doing: Doing = ending === undefined ? last : { kind: "idle" };
  const waiting = ending === undefined ? words.part.phases[phase] : words.part.over[ending.kind];
  const working = doing.kind === "training" || doing.kind === "evaluating";
  const { at, left, plain, secure } = words.part.steps;
  const step = hint === undefined || doing.kind === "idle" ? "" : at(hint.step, run.secure ? secure : plain);
  const isFull = doing.kind === "sending" || doing.kind === "sent" || ending?.kind === "finished";
  const isDue = step !== "" && doing.kind !== "sent" && dueAt !== undefined;
  return (
    <div class="work">
      <p>
        <span>{doingText(doing, waiting)}</span>
        <small class="hint">
          {step}
          {isDue ? left(Math.max(0, Math.ceil((dueAt - now) / 1000))) : ""}
        </small>
      </p>
      <progress max={1} value={working ? doing.done : isFull ? 1 : 0} aria-label={doingText(doing, waiting)} />
    </div>
  );
}

/** The time, each second anew. */
function useNow(): number {
  const now = useSignal(Date.now());
  useEffect(() => {
    const timer = setInterval(() => (now.value = Date.now()), 1_000);
    return () => clearInterval(timer);
  }, [now]);
  return now.value;
}

/** A figure, with room for the longest value that it had, or is said to come, so that nothing below it moves. */
function Figure({ name, value, longest = "" }: { name: string; value: string; longest?: string }) {
  const room = useRef(longest);
  if (value.length > room.current.length) room.current = value;
  return (
    <div>
      <dt>{name}</dt>
      <dd data-room={room.current}>
        <span>{value}</span>
      </dd>
    </div>
  );
}

function doingText(doing: Doing, waiting: string): string {
  switch (doing.kind) {
    case "idle":
      return waiting;
    case "asked":
      return words.part.asked;
    case "training":
      return words.part.training;
    case "evaluating":
      return words.part.judging;
    case "sending":
      return words.part.sending;
    case "sent":
      return words.part.sent;
    case "declined":
      return words.part.declined(doing.detail);
  }
}

function progressText(doing: Doing, part: "epoch" | "batch", whole: "epochs" | "batches"): string {
  const progress = doing.kind === "training" ? doing.progress : undefined;
  return progress === undefined ? "–" : words.part.of(progress[part], progress[whole]);
}

function connectionText(connection: Connection, isRetrying: boolean): string {
  switch (connection.kind) {
    case "connecting":
      return words.part.connecting;
    case "connected":
      return isRetrying ? words.part.retrying : words.part.connected;
    case "lost":
      return words.part.lost(connection.reason);
  }
}

function endingText(ending: Ending, kept: boolean): string {
  if (ending.kind === "left" && kept) return words.part.leftKept;
  return ending.kind === "broken" ? words.part.broken(ending.detail) : words.part[ending.kind];
}

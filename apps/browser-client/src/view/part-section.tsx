import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Part } from "../device/part.ts";
import type { Connection, Doing, Ending } from "../device/part-state.ts";
import type { PageState } from "../page-state.ts";
import { bytesText, words } from "../words.ts";
import { AccuracyChart } from "./accuracy-chart.tsx";
import { Curve } from "./curve.tsx";
import { DeviceControls, PauseButton } from "./device-controls.tsx";
import { Protection } from "./runs-section.tsx";

/** While this device takes part, and how it ended. */
export function PartSection({ state, part }: { state: PageState; part: Part }) {
  const { run, connection, doing, round, losses, updates, bytes, log, phase, ending, secured, known, dueAt } =
    part.state.value;
  const heading = useRef<HTMLHeadingElement>(null);
  // What had the focus is gone.
  useEffect(() => heading.current?.focus(), []);
  const engine = state.engine.value;
  return (
    <section class="card part" aria-labelledby="part">
      <h2 id="part" ref={heading} tabIndex={-1}>
        {words.part.title(run.name)}
      </h2>
      <p class={`connection ${connection.kind}`} role="status">
        {ending === undefined ? connectionText(connection) : endingText(ending, state.keeping.value === "kept")}
      </p>
      {ending === undefined ? <Work doing={doing} waiting={words.part.phases[phase]} dueAt={dueAt} /> : null}
      <p class="status" role="status">
        {ending === undefined && state.use.paused.value !== undefined ? words.use.paused[state.use.paused.value] : ""}
      </p>
      <dl class="figures">
        <Figure name={words.part.round} value={round === 0 ? "–" : words.part.of(round, run.rounds)} />
        <Figure name={words.part.epoch} value={progressText(doing, "epoch", "epochs")} />
        <Figure name={words.part.batch} value={progressText(doing, "batch", "batches")} />
        <Figure name={words.part.loss} value={losses.at(-1)?.toFixed(3) ?? "–"} />
        <Figure name={words.part.updates} value={`${updates}`} />
        <Figure name={words.part.bytes} value={bytesText(bytes)} />
      </dl>
      {ending !== undefined && losses.length === 0 ? null : <Curve losses={losses} />}
      <AccuracyChart accuracy={state.accuracy} rounds={run.rounds} />
      {engine.kind === "ready" ? <p class="hint">{words.device.ready(engine.found.engine)}</p> : null}
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
          <button type="button" class="secondary" disabled={state.leaving.value} onClick={() => void state.leave()}>
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
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it */}
      <div class="log" role="log" aria-labelledby="log" tabIndex={0}>
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

function Work({ doing, waiting, dueAt }: { doing: Doing; waiting: string; dueAt: number | undefined }) {
  const now = useNow();
  const working = doing.kind === "training" || doing.kind === "evaluating";
  return (
    <div class="work">
      <p>
        <span>{doingText(doing, waiting)}</span>
        <small class="hint">
          {dueAt === undefined || doing.kind === "idle" || doing.kind === "sent"
            ? ""
            : words.part.timeLeft(Math.max(0, Math.ceil((dueAt - now) / 1000)))}
        </small>
      </p>
      <progress
        max={1}
        value={working ? doing.done : doing.kind === "sending" || doing.kind === "sent" ? 1 : 0}
        aria-label={doingText(doing, waiting)}
      />
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

function Figure({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
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
  }
}

function progressText(doing: Doing, part: "epoch" | "batch", whole: "epochs" | "batches"): string {
  const progress = doing.kind === "training" ? doing.progress : undefined;
  return progress === undefined ? "–" : words.part.of(progress[part], progress[whole]);
}

function connectionText(connection: Connection): string {
  switch (connection.kind) {
    case "connecting":
      return words.part.connecting;
    case "connected":
      return words.part.connected;
    case "lost":
      return words.part.lost(connection.reason);
  }
}

function endingText(ending: Ending, kept: boolean): string {
  if (ending.kind === "left" && kept) return words.part.leftKept;
  return ending.kind === "failed" ? words.part.failed(ending.detail) : words.part[ending.kind];
}

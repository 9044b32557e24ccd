import { useEffect, useRef } from "preact/hooks";
import type { Part } from "../device/part.ts";
import type { Connection, Doing, Ending } from "../device/part-state.ts";
import type { PageState } from "../page-state.ts";
import { bytesText, words } from "../words.ts";
import { Curve } from "./curve.tsx";
import { Protection } from "./runs-section.tsx";

/** While this device takes part, and how it ended. */
export function PartSection({ state, part }: { state: PageState; part: Part }) {
  const { run, connection, doing, round, losses, updates, bytes, log, phase, ending, secured } = part.state.value;
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
        {ending === undefined ? connectionText(connection) : endingText(ending)}
      </p>
      {ending === undefined ? <Work doing={doing} waiting={words.part.phases[phase]} /> : null}
      <dl class="figures">
        <Figure name={words.part.round} value={round === 0 ? "–" : words.part.of(round, run.rounds)} />
        <Figure name={words.part.epoch} value={progressText(doing, "epoch", "epochs")} />
        <Figure name={words.part.batch} value={progressText(doing, "batch", "batches")} />
        <Figure name={words.part.loss} value={losses.at(-1)?.toFixed(3) ?? "–"} />
        <Figure name={words.part.updates} value={`${updates}`} />
        <Figure name={words.part.bytes} value={bytesText(bytes)} />
      </dl>
      {ending !== undefined && losses.length === 0 ? null : <Curve losses={losses} />}
      {engine.kind === "ready" ? <p class="hint">{words.device.ready(engine.found.engine)}</p> : null}
      <Protection secure={run.secure} />
      {secured === undefined ? null : (
        <p class="hint">
          {words.part.secured(secured.clients, secured.minimumSurvivors)} {secured.small ? words.part.small : ""}
        </p>
      )}
      <p>
        {ending === undefined ? (
          <button type="button" class="secondary" disabled={state.leaving.value} onClick={() => void state.leave()}>
            {state.leaving.value ? words.join.leaving : words.join.leave}
          </button>
        ) : (
          <button type="button" onClick={() => state.again()}>
            {words.join.again}
          </button>
        )}
      </p>
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

function Work({ doing, waiting }: { doing: Doing; waiting: string }) {
  const working = doing.kind === "training" || doing.kind === "evaluating";
  return (
    <div class="work">
      <p>{doingText(doing, waiting)}</p>
      <progress
        max={1}
        value={working ? doing.done : doing.kind === "sending" || doing.kind === "sent" ? 1 : 0}
        aria-label={doingText(doing, waiting)}
      />
    </div>
  );
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

function endingText(ending: Ending): string {
  return ending.kind === "failed" ? words.part.failed(ending.detail) : words.part[ending.kind];
}

import { useEffect, useRef } from "preact/hooks";
import type { OpenRun } from "../open-runs.ts";
import type { PageState } from "../page-state.ts";
import { isJoinable } from "../runs-in-sight.ts";
import { words } from "../words.ts";

/** The runs there are, and what each asks of a device. */
export function RunsSection({ state }: { state: PageState }) {
  const runs = state.runs.state.value;
  const wasLocked = useRef(false);
  useEffect(() => {
    if (wasLocked.current && runs.kind !== "locked") document.getElementById("runs")?.focus();
    wasLocked.current = runs.kind === "locked";
  }, [runs.kind]);
  if (runs.kind === "locked") return <Locked state={state} refusal={runs.refusal} busy={runs.busy} />;
  return (
    <section class="card runs" aria-labelledby="runs">
      <h2 id="runs" tabIndex={-1}>
        {words.runs.title}
      </h2>
      {runs.kind === "open" && runs.runs.length > 0 ? (
        <fieldset>
          <legend class="unseen">{words.runs.title}</legend>
          {runs.runs.map((run) => (
            <Run key={run.run} run={run} state={state} />
          ))}
        </fieldset>
      ) : null}
      <p class="status" role="status">
        {statusOf(state)}
      </p>
    </section>
  );
}

function statusOf({ runs: { state, ended: endedRun } }: PageState): string {
  const [runs, ended] = [state.value, endedRun.value];
  if (runs.kind === "loading") return words.runs.loading;
  if (runs.kind === "unreachable") return words.runs.unreachable(runs.detail);
  if (runs.kind !== "open") return "";
  if (runs.stale !== undefined) return words.runs.refresh(runs.stale);
  const over = ended === undefined ? "" : words.runs.over(ended);
  return [over, runs.runs.length === 0 ? words.runs.none : ""].join(" ").trim();
}

function Run({ run, state }: { run: OpenRun; state: PageState }) {
  const { data, rounds, model, minimum, accuracy } = words.runs;
  const joinable = isJoinable(run);
  return (
    <label class="choice">
      <input
        type="radio"
        name="run"
        value={run.run}
        checked={state.runs.chosen.value === run.run}
        disabled={!joinable}
        onChange={() => state.runs.choose(run.run)}
      />
      <span class="body">
        <strong>{run.name}</strong>
        <span class="facts">
          <span>{data(run.data)}</span>
          <span>{rounds(run.round, run.rounds)}</span>
          <span>{model(run.model)}</span>
          <span>{minimum(run.minimum)}</span>
          {run.accuracy === undefined ? null : <span>{accuracy(run.accuracy)}</span>}
        </span>
        <Protection secure={run.secure} />
        {run.isCurious ? <span class="hint">{words.runs.curious}</span> : null}
        {run.tags.length === 0 ? null : <span class="hint">{words.runs.tags(run.tags)}</span>}
      </span>
    </label>
  );
}

/** How a run protects a device's update, in plain words. */
export function Protection({ secure }: { secure: boolean }) {
  const { plain, plainTitle, secureTitle, secure: sum } = words.runs;
  return (
    <span class={secure ? "protection" : "protection plain"}>
      <b>{secure ? secureTitle : plainTitle}:</b> {secure ? sum : plain}
    </span>
  );
}

function Locked({ state, refusal, busy }: { state: PageState; refusal: string | undefined; busy: boolean }) {
  const { title, why, label, button, busy: wait } = words.locked;
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (refusal !== undefined) field.current?.focus();
  }, [refusal]);
  return (
    <section class="card" aria-labelledby="locked">
      <h2 id="locked">{title}</h2>
      <p>{why}</p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!busy) void state.unlock(field.current!.value.trim());
        }}
      >
        <label class="field">
          <span>{label}</span>
          <input
            ref={field}
            type="password"
            autocomplete="off"
            required
            aria-invalid={refusal !== undefined}
            aria-describedby="locked-refusal"
          />
        </label>
        <button type="submit" aria-disabled={busy}>
          {busy ? wait : button}
        </button>
        <p id="locked-refusal" class="refusal" role="alert">
          {refusal}
        </p>
      </form>
    </section>
  );
}

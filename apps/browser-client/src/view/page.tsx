import { useEffect, useRef } from "preact/hooks";
import type { PartState } from "../device/part-state.ts";
import { type PageState, wasRunsEnd } from "../page-state.ts";
import { AboutSection } from "./about-section.tsx";
import { DataSection } from "./data-section.tsx";
import { DeviceSection } from "./device-section.tsx";
import { Header } from "./header.tsx";
import { JoinSection } from "./join-section.tsx";
import { LedgerSection } from "./ledger-section.tsx";
import { ModelSection } from "./model-section.tsx";
import { PartSection } from "./part-section.tsx";
import { Provenance } from "./provenance.tsx";
import { ResumingSection } from "./resuming-section.tsx";
import { RunsSection } from "./runs-section.tsx";
import { useNoOpening } from "./use-dropped.ts";

export function Page({ state }: { state: PageState }) {
  const part = state.part.value;
  const past = state.goingOn.past.value;
  const data = state.data.state.value;
  const found = data.kind === "ready" ? data.found : undefined;
  const run = state.runs.run.value;
  const runs = state.runs.state.value;
  // Whatever keeps this device from joining again is for the person to see.
  const isResuming =
    state.goingOn.part.value !== undefined &&
    (runs.kind === "loading" || runs.kind === "open") &&
    state.engine.state.value.kind !== "failed";
  // Without a run there is nothing to choose data for; what was chosen for one that is over stays in sight.
  const isChoosing = (runs.kind === "open" && runs.runs.length > 0) || data.kind !== "none";
  useNoOpening();
  const had = useRef(part);
  // Who comes back to the choices begins at their first.
  useEffect(() => {
    if (had.current !== undefined && part === undefined) document.getElementById("runs")?.focus();
    had.current = part;
  }, [part]);
  return (
    <>
      <Header host={new URL(state.address.coordinator).host} />
      <main>
        {part !== undefined ? (
          <PartSection state={state} part={part} />
        ) : isResuming ? (
          <ResumingSection state={state} />
        ) : (
          <>
            <RunsSection state={state} />
            {past === undefined ? null : <ModelSection state={state} run={past} found={found} />}
            {run === undefined ? null : <AboutSection state={state} run={run} />}
            {isChoosing ? (
              <>
                <DataSection state={state} />
                <DeviceSection state={state} />
                <JoinSection state={state} />
              </>
            ) : null}
          </>
        )}
        {part === undefined || !hasModel(part.state.value) ? null : (
          <ModelSection state={state} run={part.state.value.run} found={part.found} />
        )}
        {/* What comes above it would push it down. */}
        {part === undefined && runs.kind === "loading" ? null : (
          <LedgerSection ledger={state.ledger} isTakingPart={part !== undefined} />
        )}
      </main>
      <Provenance address={state.address} />
    </>
  );
}

/** Whether something was learnt: before this device came, since, or until the run was over. */
function hasModel({ run, round, ending }: PartState): boolean {
  return run.round > 0 || round > 0 || wasRunsEnd(ending);
}

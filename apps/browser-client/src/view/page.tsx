import type { PageState } from "../page-state.ts";
import { AboutSection } from "./about-section.tsx";
import { DataSection } from "./data-section.tsx";
import { DeviceSection } from "./device-section.tsx";
import { Header } from "./header.tsx";
import { JoinSection } from "./join-section.tsx";
import { LedgerSection } from "./ledger-section.tsx";
import { ModelSection } from "./model-section.tsx";
import { PartSection } from "./part-section.tsx";
import { Provenance } from "./provenance.tsx";
import { RunsSection } from "./runs-section.tsx";

export function Page({ state }: { state: PageState }) {
  const part = state.part.value;
  const run = state.run.value;
  return (
    <>
      <Header host={new URL(state.address.coordinator).host} />
      <main>
        {part === undefined ? (
          <>
            <RunsSection state={state} />
            {run === undefined ? null : <AboutSection state={state} run={run} />}
            <DataSection state={state} />
            <DeviceSection state={state} />
            <JoinSection state={state} />
          </>
        ) : (
          <PartSection state={state} part={part} />
        )}
        {part === undefined || part.state.value.round === 0 ? null : <ModelSection state={state} part={part} />}
        {part === undefined && state.ledger.count.value === 0 ? null : <LedgerSection ledger={state.ledger} />}
      </main>
      <Provenance address={state.address} />
    </>
  );
}

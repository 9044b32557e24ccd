import type { PageState } from "../page-state.ts";
import { DataSection } from "./data-section.tsx";
import { DeviceSection } from "./device-section.tsx";
import { Header } from "./header.tsx";
import { JoinSection } from "./join-section.tsx";
import { PartSection } from "./part-section.tsx";
import { RunsSection } from "./runs-section.tsx";

export function Page({ state }: { state: PageState }) {
  const part = state.part.value;
  return (
    <>
      <Header />
      <main>
        {part === undefined ? (
          <>
            <RunsSection state={state} />
            <DataSection state={state} />
            <DeviceSection state={state} />
            <JoinSection state={state} />
          </>
        ) : (
          <PartSection state={state} part={part} />
        )}
      </main>
    </>
  );
}

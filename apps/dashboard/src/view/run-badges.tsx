import type { RunRecord } from "@tributary/protocol";
import { isSecure } from "../figures.ts";
import { words } from "../words.ts";

/** Where a run is, in a word. */
export function Phase({ run }: { run: RunRecord }) {
  return <span class={`badge ${run.phase}`}>{words.phase[run.phase]}</span>;
}

/** Whether the coordinator sees single updates. */
export function Protection({ run }: { run: RunRecord }) {
  const { secure, secureTitle, plain, plainTitle } = words.protection;
  return isSecure(run) ? (
    <span class="badge secure" title={secureTitle}>
      {secure}
    </span>
  ) : (
    <span class="badge plain" title={plainTitle}>
      {plain}
    </span>
  );
}

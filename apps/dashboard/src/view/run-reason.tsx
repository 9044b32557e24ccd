import type { RunRecord } from "@tributary/protocol";
import { ago } from "../format.ts";
import { useNow } from "../use-resource.ts";
import { words } from "../words.ts";

/** Why a run is where it is, and its latest problem, as long as no later round has mended that. */
export function RunReason({ run }: { run: RunRecord }) {
  const now = useNow(30_000);
  const { reason, problem } = run;
  const isSame = problem !== undefined && reason === problem.text;
  return (
    <>
      {isSame ? null : <p class={`reason ${run.phase === "failed" ? "bad" : "soft"}`}>{reason ?? ""}</p>}
      {problem === undefined ? null : (
        <p class="reason bad">
          {words.lastProblem(ago(problem.at, now))} {problem.text}
        </p>
      )}
    </>
  );
}

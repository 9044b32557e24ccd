import type { Dashboard } from "../dashboard.ts";
import { link } from "../place.ts";
import { words } from "../words.ts";
import { PendingRuns } from "./pending.tsx";

/** In place of a run that is not known: yet, or at all. */
export function NoRun({ dashboard }: { dashboard: Dashboard }) {
  const place = dashboard.place.value;
  return (
    <article>
      <div class="title">
        <h1>{"run" in place ? place.run : words.runs}</h1>
      </div>
      <PendingRuns dashboard={dashboard} />
      {dashboard.runs.value === undefined ? null : (
        <p>
          {words.unknownRun} <a href={link.runs()}>{words.back}</a>
        </p>
      )}
    </article>
  );
}

import { useSignal } from "@preact/signals";
import type { RunRecord } from "@tributary/protocol";
import type { Dashboard } from "../dashboard.ts";
import { shortId } from "../format.ts";
import { link } from "../place.ts";
import { words } from "../words.ts";
import { LineSample, type LineStyle } from "./line-sample.tsx";

const text = words.compare;

/** What to call each run: its name, and a part of its id where another has the same name. */
export function labelsOf(runs: readonly RunRecord[]): ReadonlyMap<string, string> {
  const isTwin = (run: RunRecord) => runs.some((other) => other.run !== run.run && other.name === run.name);
  return new Map(runs.map((run) => [run.run, isTwin(run) ? `${run.name} (${shortId(run.run)})` : run.name]));
}

/** The runs that are or were compared, each to be taken out or put back, and a way to add others. */
export function ComparedRuns(props: {
  dashboard: Dashboard;
  listed: readonly RunRecord[];
  labels: ReadonlyMap<string, string>;
  chosen: readonly string[];
  styleOf: (run: string) => LineStyle;
}) {
  const { dashboard, listed, labels, chosen, styleOf } = props;
  const picked = useSignal("");
  const others = (dashboard.runs.value ?? []).filter(({ run }) => !chosen.includes(run)).toReversed();
  const added = others.find(({ run }) => run === picked.value)?.run ?? others[0]?.run;
  const otherLabels = labelsOf(dashboard.runs.value ?? []);
  const compare = (runs: readonly string[]) => {
    dashboard.marked.value = runs;
    // In the address, so that it can be passed on; not in the history, which is for going back to other views.
    location.replace(link.compare(runs));
  };
  return (
    <div class="row">
      <fieldset class="chips" aria-label={text.chosen}>
        {listed.map(({ run }) => (
          <label key={run} class="chip">
            <input
              type="checkbox"
              checked={chosen.includes(run)}
              onChange={(event) =>
                compare(event.currentTarget.checked ? [...chosen, run] : chosen.filter((other) => other !== run))
              }
            />
            <LineSample {...styleOf(run)} />
            {labels.get(run)}
          </label>
        ))}
      </fieldset>
      {added === undefined ? null : (
        <div class="inline-field">
          <select
            aria-label={text.other}
            value={added}
            onChange={(event) => {
              picked.value = event.currentTarget.value;
            }}
          >
            {others.map(({ run }) => (
              <option key={run} value={run}>
                {otherLabels.get(run)}
              </option>
            ))}
          </select>
          <button type="button" class="secondary" onClick={() => compare([...chosen, added])}>
            {text.add}
          </button>
        </div>
      )}
    </div>
  );
}

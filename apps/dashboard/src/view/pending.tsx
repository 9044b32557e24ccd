import { Refused } from "../api.ts";
import type { Dashboard } from "../dashboard.ts";
import { words } from "../words.ts";

/** What stands in for something that REST has not answered with: that it is on its way, or why not and how to ask again. */
export function Pending({ dashboard, path }: { dashboard: Dashboard; path: string }) {
  const resource = dashboard.at(path);
  if (resource.fault.value === undefined && resource.value.value === undefined) return <Loading />;
  return <Fault dashboard={dashboard} path={path} />;
}

/** Only why it did not come, where something else holds its place until then. */
export function Fault({ dashboard, path }: { dashboard: Dashboard; path: string }) {
  const { value, fault } = dashboard.at(path);
  const onAgain = () => dashboard.at(path).again();
  return fault.value === undefined ? null : (
    <Told isKnown={value.value !== undefined} {...{ fault: fault.value, onAgain }} />
  );
}

/** The same for the runs themselves. */
export function PendingRuns({ dashboard }: { dashboard: Dashboard }) {
  const [isKnown, fault] = [dashboard.runs.value !== undefined, dashboard.runsFault.value];
  if (fault === undefined) return isKnown ? null : <Loading />;
  return <Told isKnown={isKnown} fault={fault} onAgain={() => void dashboard.lookAtAll()} />;
}

function Loading() {
  return <p class="soft told">{words.loading}</p>;
}

function Told(props: { isKnown: boolean; fault: Error; onAgain: () => void }) {
  const { isKnown, fault, onAgain } = props;
  // That the line is down is said once, for the whole page.
  if (isKnown && fault instanceof Refused && fault.status === 0) return null;
  const says = isKnown ? words.notRefreshed : words.notLoaded;
  return (
    <p class="fault told">
      <span role="alert">{says(fault.message)}</span>{" "}
      <button type="button" class="inline" onClick={onAgain}>
        {words.again}
      </button>
    </p>
  );
}

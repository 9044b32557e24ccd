import { useEffect, useState } from "preact/hooks";
import type { Dashboard } from "./dashboard.ts";

/**
 * What REST answers at a path, kept fresh while the component is on the page; undefined until it has come, or while there
 * is no path.
 */
export function useResource<Value>(dashboard: Dashboard, path: string | undefined): Value | undefined {
  const resource = path === undefined ? undefined : dashboard.at<Value>(path);
  useEffect(() => resource?.watch(), [resource]);
  return resource?.value.value;
}

/** What REST answers at each of some paths, as `useResource` has it for one. */
export function useResources<Value>(dashboard: Dashboard, paths: readonly string[]): (Value | undefined)[] {
  const all = paths.join("\n");
  useEffect(() => {
    const watched = all.split("\n").filter(Boolean);
    const unwatch = watched.map((path) => dashboard.at(path).watch());
    return () => {
      for (const stop of unwatch) stop();
    };
  }, [dashboard, all]);
  return paths.map((path) => dashboard.at<Value>(path).value.value);
}

/** The time, anew every so many milliseconds: for what is told relative to it. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

import { tabLock } from "./tab-lock.ts";

const key = "tributary tab";
let named: Promise<string> | undefined;

/** This tab's name, the same after a reload. A duplicated tab comes with a copy, and gets a name of its own. */
export function nameOfTab(): Promise<string> {
  named ??= takeName();
  return named;
}

async function takeName(): Promise<string> {
  const stored = sessionStorage.getItem(key);
  if (stored !== null && (await hold(stored))) return stored;
  const fresh = crypto.randomUUID();
  sessionStorage.setItem(key, fresh);
  await hold(fresh);
  return fresh;
}

/** Whether this page has the name for itself; it then does for as long as it is open. */
function hold(tab: string): Promise<boolean> {
  return new Promise((resolve) => {
    // A page that was just reloaded may hold it for a moment longer.
    const signal = AbortSignal.timeout(1_000);
    navigator.locks
      .request(tabLock(tab), { signal }, () => {
        resolve(true);
        return new Promise<void>(() => undefined);
      })
      .catch(() => resolve(false));
  });
}

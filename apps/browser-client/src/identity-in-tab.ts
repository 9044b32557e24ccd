import type { Identity, IdentityStore } from "@tributary/participant";
import { Enrolled, parse } from "@tributary/protocol";

const key = "tributary identity";

/**
 * This tab's identity: it outlives a reload and ends with the tab, so that no coordinator can tell that two visits were
 * the same person's. A duplicated tab comes with a copy, which is left to the tab that had it first.
 */
export function identityInTab(): IdentityStore {
  return {
    async load() {
      const stored = read();
      return stored !== undefined && (await isOurs(stored)) ? stored : undefined;
    },
    async save(identity) {
      if (identity === undefined) sessionStorage.removeItem(key);
      else {
        sessionStorage.setItem(key, JSON.stringify(identity));
        await isOurs(identity);
      }
    },
  };
}

function read(): Identity | undefined {
  const text = sessionStorage.getItem(key);
  if (text === null) return undefined;
  try {
    return parse(Enrolled, JSON.parse(text), { what: "the identity kept in this tab" });
  } catch {
    // Kept by another version of this page; this device enrols anew.
    return undefined;
  }
}

const held = new Set<string>();

/** Whether no other tab uses this identity; then none will while this page is open. */
function isOurs({ client }: Identity): Promise<boolean> {
  if (held.has(client)) return Promise.resolve(true);
  return new Promise((resolve) => {
    // A page that was just reloaded may hold it for a moment longer.
    const signal = AbortSignal.timeout(1_000);
    navigator.locks
      .request(`${key} ${client}`, { signal }, () => {
        held.add(client);
        resolve(true);
        return new Promise<void>(() => undefined);
      })
      .catch(() => resolve(false));
  });
}

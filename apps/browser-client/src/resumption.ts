import type { RunId } from "@tributary/protocol";
import type { DataChoice } from "./training/messages.ts";

/** What a reload of this tab goes on with by itself. */
export interface Resumable {
  readonly run: RunId;
  readonly choice: DataChoice | "kept";
}

const key = "tributary part";

/**
 * What the person joined in this tab, over a reload. Only the demo's digits, and files that the person has kept in
 * this browser, can be had again: a page that was reloaded has no access to files chosen before.
 */
export const resumption = {
  read(): Resumable | undefined {
    try {
      return JSON.parse(sessionStorage.getItem(key) ?? "null") ?? undefined;
    } catch {
      return undefined;
    }
  },
  write(part: Resumable): void {
    if (part.choice === "kept" || part.choice.kind === "digits") sessionStorage.setItem(key, JSON.stringify(part));
  },
  clear(): void {
    sessionStorage.removeItem(key);
  },
};

const registeredKey = "tributary registered";

/** Whether this tab's device made itself known to a coordinator that asks for that. */
export const registered = {
  read: () => sessionStorage.getItem(registeredKey) !== null,
  write: () => sessionStorage.setItem(registeredKey, "yes"),
};

import type { RunId } from "@tributary/protocol";
import type { DataChoice } from "./training/messages.ts";

/** What a reload of this tab goes on with by itself. */
export interface Resumable {
  /** The tab's name: a duplicated tab comes with a copy of this. */
  readonly tab: string;
  readonly run: RunId;
  /** `gone`: files that a page which was reloaded has no access to any more. */
  readonly choice: DataChoice | "kept" | "gone";
}

const key = "tributary part";

/**
 * What the person joined in this tab, over a reload. Only the demo's digits, and files that the person has kept in
 * this browser, can be had again.
 */
export const resumption = {
  read(): Resumable | undefined {
    try {
      return JSON.parse(sessionStorage.getItem(key) ?? "null") ?? undefined;
    } catch {
      return undefined;
    }
  },
  write({ choice, ...part }: Resumable): void {
    const again = choice === "kept" || (choice !== "gone" && choice.kind === "digits") ? choice : "gone";
    sessionStorage.setItem(key, JSON.stringify({ ...part, choice: again } satisfies Resumable));
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

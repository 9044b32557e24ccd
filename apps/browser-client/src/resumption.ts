import type { RunId } from "@tributary/protocol";
import type { Terms } from "./device-use.ts";
import type { DataChoice } from "./training/messages.ts";

/** Files that this browser keeps, by the name that they were given when they were kept. */
export interface KeptFiles {
  readonly kind: "kept";
  readonly name: string;
}

/** What a reload of this tab goes on with by itself. */
export interface Resumable {
  /** The tab's name: a duplicated tab comes with a copy of this. */
  readonly tab: string;
  readonly run: RunId;
  /** `gone`: files that a page which was reloaded has no access to any more. */
  readonly choice: DataChoice | KeptFiles | { readonly kind: "gone" };
  readonly terms: Terms;
}

const key = "tributary part";

/**
 * What the person joined in this tab, and on which terms, over a reload. Only the demo's digits, and files that the person
 * has kept in this browser, can be had again.
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
    const again = choice.kind === "kept" || choice.kind === "digits" ? choice : { kind: "gone" };
    sessionStorage.setItem(key, JSON.stringify({ ...part, choice: again }));
  },
  /** Changes what is written, where something is. */
  change(changed: Partial<Resumable>): void {
    const part = this.read();
    if (part !== undefined) this.write({ ...part, ...changed });
  },
  clear(): void {
    sessionStorage.removeItem(key);
  },
};

const registeredKey = "tributary registered";

/** Whether this tab's device, and not one whose tab was duplicated, made itself known to a coordinator that asks for that. */
export const registered = {
  read: (tab: string) => sessionStorage.getItem(registeredKey) === tab,
  write: (tab: string) => sessionStorage.setItem(registeredKey, tab),
};

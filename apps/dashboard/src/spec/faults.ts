import { parseRunSpec } from "@tributary/catalog";
import type { Fault } from "@tributary/protocol";

/** What the coordinator would refuse in this draft: by the very function that it calls. */
export function faultsOf(draft: unknown): readonly Fault[] {
  try {
    parseRunSpec(draft);
    return [];
  } catch (error) {
    return faultsIn(error as Error);
  }
}

/** What a refusal names; one that names nothing is of the whole. */
export function faultsIn(refusal: Error & { readonly faults?: readonly Fault[] }): readonly Fault[] {
  const { faults = [], message } = refusal;
  return faults.length > 0 ? faults : [{ path: "", detail: message }];
}

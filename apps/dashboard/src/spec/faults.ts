import { parseRunSpec } from "@tributary/catalog";

/** What is wrong with a draft, in the coordinator's own words; `path` is empty where it names no field. */
export interface Fault {
  readonly path: string;
  readonly detail: string;
}

/** What the coordinator would refuse in this draft: by the very function that it calls. */
export function faultsOf(draft: unknown): Fault[] {
  try {
    parseRunSpec(draft);
    return [];
  } catch (error) {
    return splitFaults((error as Error).message);
  }
}

/** A refusal, `run specification: cohort.size: …; stop: …`, as one fault for each field that it names. */
export function splitFaults(message: string): Fault[] {
  const faults: Fault[] = [];
  for (const phrase of message.replace(/^run specification: /, "").split("; ")) {
    const [, path, detail] = /^([a-z][\w]*(?:\.\w+)*): (.*)$/is.exec(phrase) ?? [];
    const last = faults.at(-1);
    if (path !== undefined && detail !== undefined) faults.push({ path, detail });
    // A phrase that names no field goes on with the one before.
    else if (last !== undefined) faults[faults.length - 1] = { ...last, detail: `${last.detail}; ${phrase}` };
    else faults.push({ path: "", detail: phrase });
  }
  return faults;
}

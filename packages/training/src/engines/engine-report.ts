import type { EngineMissing } from "./engine-missing.ts";
import { type EngineName, engineNames, engineOf, startEngine } from "./engines.ts";

/** Whether one engine runs here; if not, why, and the exact command that would add it where there is one. */
export type EngineFinding =
  | {
      readonly engine: EngineName;
      readonly what: string;
      readonly present: true;
      /** Why it is not chosen by itself all the same. */
      readonly drawback?: string;
    }
  | {
      readonly engine: EngineName;
      readonly what: string;
      readonly present: false;
      readonly why: string;
      readonly command?: string;
      /** What it needs beside its package. */
      readonly needs?: string;
    };

/** Looks for every engine that this platform may have, best first, and starts those that run. */
export async function engineReport(): Promise<readonly EngineFinding[]> {
  const findings: EngineFinding[] = [];
  // One after the other: two may want the same driver.
  for (const engine of engineNames) findings.push(await find(engine));
  return findings;
}

async function find(engine: EngineName): Promise<EngineFinding> {
  const { what, drawback, needs } = engineOf(engine);
  try {
    await startEngine(engine);
    const found = await drawback?.();
    return { engine, what, present: true, ...(found === undefined ? {} : { drawback: found }) };
  } catch (error) {
    const { cause, command } = error as EngineMissing;
    const why = cause instanceof Error ? cause.message : String(cause);
    const mend = { ...(command === undefined ? {} : { command }), ...(needs === undefined ? {} : { needs }) };
    return { engine, what, present: false, why, ...mend };
  }
}

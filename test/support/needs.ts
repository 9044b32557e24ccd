import { existsSync } from "node:fs";
import { test } from "vitest";
import { long } from "./long.ts";
import { sharedData } from "./shared-data.ts";

/** A test that is skipped where something is `missing`, its name then saying what it needs. */
export function testThatNeeds(missing: string | undefined, name: string, run: () => Promise<void>, ms?: number): void {
  const options = ms === undefined ? {} : { timeout: ms };
  if (missing === undefined) test(name, options, run);
  else test.skip(`${name} (needs ${missing})`, run);
}

/** What a test of a data set lacks here. */
export const missingSet = (name: string) => (existsSync(`${sharedData}/${name}`) ? undefined : `${sharedData}/${name}`);

export const missingTime = long ? undefined : "npm run test:long";

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A new empty folder that lasts as long as the test that asks for it. */
export async function dataFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tributary-test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

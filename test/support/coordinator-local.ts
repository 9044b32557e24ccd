import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CoordinatorOptions, type RunningCoordinator, startCoordinator } from "@tributary/coordinator";
import { afterAll, beforeAll, onTestFinished } from "vitest";
import { dataFolder } from "./data-folder.ts";

const quiet = { host: "127.0.0.1", port: 0, logLevel: "silent" } as const;

/** The real coordinator in this process, on a folder and a port of its own, for as long as the test lasts. */
export async function localCoordinator(options: Partial<CoordinatorOptions> = {}): Promise<RunningCoordinator> {
  const folder = options.dataFolder ?? (await dataFolder());
  const coordinator = await startCoordinator({ ...quiet, ...options, dataFolder: folder });
  onTestFinished(() => coordinator.close());
  return coordinator;
}

/** One coordinator for all tests of a file; each makes runs of its own. */
export function sharedCoordinator(options: Partial<CoordinatorOptions> = {}): { readonly url: string } {
  let coordinator: RunningCoordinator;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "tributary-test-"));
    coordinator = await startCoordinator({ ...quiet, ...options, dataFolder: folder });
  });
  afterAll(async () => {
    await coordinator.close();
    await rm(folder, { recursive: true });
  });
  return {
    get url() {
      return coordinator.url;
    },
  };
}

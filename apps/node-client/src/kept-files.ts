import { createHash } from "node:crypto";
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { deserialize, serialize } from "node:v8";
import type { KeptRecord, KeptStore } from "@tributary/participant";
import type { RunId } from "@tributary/protocol";
import { replaceFile } from "./replace-file.ts";

/**
 * A folder with what devices keep of their runs from round to round, a file for each device and run. What is lost here
 * costs a run some of its progress, never a secret.
 */
export class KeptOnDisk {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** What one device keeps for one coordinator. A damaged file is as good as none. */
  storeFor(coordinator: string, device: string): KeptStore {
    const owner = createHash("sha256")
      .update(JSON.stringify([coordinator, device]))
      .digest("hex")
      .slice(0, 32);
    const pathOf = (run: RunId) => join(this.#folder, `${owner}-${run}`);
    return {
      async load(run) {
        try {
          return deserialize(await readFile(pathOf(run))) as KeptRecord;
        } catch {
          return undefined;
        }
      },
      save: async (run, record) => {
        await mkdir(this.#folder, { recursive: true, mode: 0o700 });
        await replaceFile(pathOf(run), serialize(record));
      },
      remove: (run) => rm(pathOf(run), { force: true }),
    };
  }
}

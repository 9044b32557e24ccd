import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "vitest";
import { dataFolder } from "../support/data-folder.ts";
import { testThatNeeds } from "../support/needs.ts";
import { smallDisk } from "../support/small-disk.ts";

const disk = smallDisk(4);
const child = fileURLToPath(new URL("../support/store-full-disk.mjs", import.meta.url));

testThatNeeds(
  disk === undefined ? "a user who may mount" : undefined,
  "a full disk refuses writes, reads go on, and writes come back with the space",
  async () => {
    const [program, args] = disk!(`"${process.execPath}" "${child}"`);
    const { stdout } = await promisify(execFile)(program, args, { env: { ...process.env, DISK: await dataFolder() } });
    expect(JSON.parse(stdout)).toEqual({
      full: {
        createRun: "storage_full",
        createRunAgain: "storage_full",
        put: "storage_full",
        receive: "storage_full",
        read: 1,
        left: [],
        temporary: [],
      },
      after: { createRun: "accepted", put: "accepted", receive: "accepted", read: 2 },
      reopened: 2,
    });
  },
);

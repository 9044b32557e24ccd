import { defineConfig } from "vitest/config";

/** What both groups of files share. */
const shared = {
  // Run the sources of the workspace's packages; everything else resolves as Node does.
  resolve: { conditions: ["source"] },
  ssr: { resolve: { conditions: ["source", "module", "node", "development|production"] } },
};
const [joining, operating] = ["test/e2e/browser-*.test.ts", "test/e2e/dashboard-*.test.ts"];
const busy = ["answers", "engines", "round", "webgpu"].map((name) => `test/e2e/browser-${name}.test.ts`);
// What a machine at work may take; what is wrong is said by an assertion long before.
const limits = {
  testTimeout: 120_000,
  hookTimeout: 120_000,
  expect: { poll: { timeout: 30_000 } },
  pool: "forks",
  // Hundreds of small modules, which each file's process would read one by one, are one each.
  deps: { optimizer: { ssr: { enabled: true, include: ["typebox", "typebox/value", "typebox/system", "kysely"] } } },
} as const;

export default defineConfig({
  test: {
    projects: [
      // Files that keep one core busy run two at a time.
      {
        ...shared,
        test: {
          ...limits,
          name: "side by side",
          include: ["test/**/*.test.ts"],
          exclude: [joining, operating],
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      // Most browsers wait more than they work.
      {
        ...shared,
        test: {
          ...limits,
          name: "two browsers",
          include: [operating, joining],
          exclude: busy,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
      // One that calculates on a graphics processor in software, or is timed, has both cores to itself.
      {
        ...shared,
        test: {
          ...limits,
          name: "alone",
          include: busy,
          maxWorkers: 1,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});

import { defineConfig } from "vitest/config";

/** What both groups of files share. */
const shared = {
  // Run the sources of the workspace's packages; everything else resolves as Node does.
  resolve: { conditions: ["source"] },
  ssr: { resolve: { conditions: ["source", "module", "node", "development|production"] } },
};
const pages = ["test/e2e/browser-*.test.ts", "test/e2e/dashboard-*.test.ts"];
const limits = { testTimeout: 120_000, hookTimeout: 120_000, pool: "forks" } as const;

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
          exclude: [...pages],
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      // Files that start a browser run by themselves: it keeps both busy.
      {
        ...shared,
        test: {
          ...limits,
          name: "alone",
          include: [...pages],
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});

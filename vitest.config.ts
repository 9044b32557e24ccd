import { defineConfig } from "vitest/config";

export default defineConfig({
  // Run the sources of the workspace's packages; everything else resolves as Node does.
  resolve: { conditions: ["source"] },
  ssr: { resolve: { conditions: ["source", "module", "node", "development|production"] } },
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: "forks",
  },
});

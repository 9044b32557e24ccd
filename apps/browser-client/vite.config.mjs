import { defineConfig } from "vite";

/** The coordinator gives the training worker a stricter policy; it tells by the name. */
const workerFiles = "assets/worker/[name]-[hash].js";

export default defineConfig({
  root: import.meta.dirname,
  // Relative, so that the built folder works at any address.
  base: "./",
  resolve: { conditions: ["source", "module", "browser", "development|production"] },
  build: {
    outDir: "dist/page",
    emptyOutDir: true,
    target: "es2022",
    // A data: URL would need an exception in the policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  worker: {
    format: "es",
    rolldownOptions: {
      output: { entryFileNames: workerFiles, chunkFileNames: workerFiles },
      // The training worker takes one function of the participant's package; the sockets beside it must not come along.
      treeshake: { moduleSideEffects: [{ test: /packages\/participant|socket\.io|engine\.io/, sideEffects: false }] },
    },
  },
});

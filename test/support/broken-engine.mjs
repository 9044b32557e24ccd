// Runs the compiled command line with this process's arguments on a WebAssembly engine that, like a broken driver, gives
// no gradient of average pooling.
import { getKernel, registerKernel, unregisterKernel } from "@tensorflow/tfjs-core";
import { chooseEngine } from "../../packages/training/dist/index.js";

await chooseEngine({ force: "wasm" });
const own = getKernel("AvgPoolGrad", "wasm");
const zeros = getKernel("ZerosLike", "wasm");
unregisterKernel("AvgPoolGrad", "wasm");
registerKernel({
  ...own,
  kernelFunc: (given) => zeros.kernelFunc({ ...given, inputs: { x: given.inputs.input } }),
});
await import("../../apps/cli/dist/main.js");

export { denseDataset, subset } from "./data/dense-dataset.ts";
export { chooseEngine, type EngineName, engineNames } from "./engines/engines.ts";
export { setWasmFiles } from "./engines/wasm-files.ts";
export { checkFits } from "./examples.ts";
export { checkTopology } from "./models/check-topology.ts";
export { type Json, type LayerTopology, type Topology, topologyOf } from "./models/topology.ts";
export { initialWeights, parameterCount, type WeightShape, weightShapes } from "./models/weights.ts";
export { createTrainer } from "./trainer.ts";

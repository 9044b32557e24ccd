export { randomInitializers } from "./approved-layers.ts";
export { checkTopology, outputLayer } from "./check-topology.ts";
export { outputsOf } from "./presets.ts";
export { type Json, type LayerTopology, type Topology, topologyOf } from "./topology.ts";

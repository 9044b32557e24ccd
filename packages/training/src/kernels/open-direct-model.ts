import type { DataSpec } from "@tributary/protocol";
import { withEngine } from "../engines/current-engine.ts";
import { buildModel, logitsTopology } from "../models/build-model.ts";
import type { Topology } from "../models/topology.ts";
import { sizeOf } from "../models/weights.ts";
import { directLayers } from "./direct-layers.ts";
import { DirectModel } from "./direct-model.ts";
import { compileKernels } from "./load.ts";

/** The model, if it is a sequence of layers that the kernels train. Rejects with what `buildModel` throws. */
export async function openDirectModel(topology: Topology, data: DataSpec): Promise<DirectModel | undefined> {
  if (topology.class_name !== "Sequential") return undefined;
  const layers = withEngine("cpu", () => {
    const model = buildModel(logitsTopology(topology), data);
    const found = directLayers(model, data.shape);
    model.dispose();
    return found;
  });
  if (layers === undefined) return undefined;
  return new DirectModel(await compileKernels(), layers, sizeOf(data.shape));
}

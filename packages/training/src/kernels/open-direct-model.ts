import type { DataSpec } from "@tributary/protocol";
import type { Topology } from "@tributary/protocol/topology";
import { withEngine } from "../engines/current-engine.ts";
import { buildModel, logitsTopology } from "../models/build-model.ts";
import { sizeOf } from "../models/weights.ts";
import { directLayers } from "./direct-layers.ts";
import { DirectModel } from "./direct-model.ts";
import { compileKernels } from "./load.ts";
import { softmaxLoss } from "./softmax-loss.ts";
import { squaredLoss } from "./squared-loss.ts";

/** The model, if it is a sequence of layers that the kernels train. Rejects with what `buildModel` throws. */
export async function openDirectModel(topology: Topology, data: DataSpec): Promise<DirectModel | undefined> {
  if (topology.class_name !== "Sequential") return undefined;
  const layers = withEngine("cpu", () => {
    const model = buildModel(logitsTopology(topology, data), data);
    const found = directLayers(model, data.shape);
    model.dispose();
    return found;
  });
  if (layers === undefined) return undefined;
  const loss = data.target === "number" ? squaredLoss : softmaxLoss;
  return new DirectModel(await compileKernels(), layers, { inputSize: sizeOf(data.shape), loss });
}

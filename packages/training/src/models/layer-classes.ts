import type { ModelSpec } from "@tributary/protocol";
import { checkTopology } from "./check-topology.ts";

/** The layer classes that training `model` takes; needs no data, so that an engine can be chosen before any is read. */
export function layerClasses(model: ModelSpec): readonly string[] {
  if ("topology" in model) return checkTopology(model.topology).config.layers.map((layer) => layer.class_name);
  return model.preset === "cnn" ? ["Conv2D", "MaxPooling2D", "Flatten", "Dense"] : ["Flatten", "Dense"];
}

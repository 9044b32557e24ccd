import { type DataSpec, ProtocolError } from "@tributary/protocol";
import { readLibsvm } from "@tributary/training";
import { words } from "../words.ts";
import { imageReader } from "./image-folders.ts";
import type { Example } from "./messages.ts";

/** An example as a run's model takes it: as many values as the product of the data's shape. Throws `bad_data`. */
export async function featuresOf(example: Example, data: DataSpec): Promise<Float32Array> {
  switch (example.kind) {
    case "features":
      return example.features;
    case "picture":
      return imageReader(data.shape)(example.file, example.file.name);
    case "line": {
      const [features = 0] = data.shape;
      const { dataset } = readLibsvm(example.line, { features, targetKind: "number" });
      if (dataset.examples !== 1) throw new ProtocolError("bad_data", words.files.oneLine(dataset.examples));
      const values = new Float32Array(features);
      dataset.batch(Uint32Array.of(0), values, new Float32Array(1));
      return values;
    }
  }
}

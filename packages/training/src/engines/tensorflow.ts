import { findBackend } from "@tensorflow/tfjs-core";
import { EngineMissing } from "./engine-missing.ts";
import { optionalPackage } from "./optional-package.ts";
import { settleBackend } from "./settle-backend.ts";

const version = "4.22.0";
/** The last major version of Node that the packages' prebuilt bindings are there for. */
const lastNode = 20;
// TensorFlow 2.9, which the package of this version contains, asks for these; NVIDIA's apt repository has both.
const cuda = "apt-get install cuda-toolkit-11-2 libcudnn8=8.1.1.33-1+cuda11.2";

/** Starts TensorFlow's own library on this processor. */
export async function startTensorFlow(): Promise<void> {
  await load("@tensorflow/tfjs-node");
}

/** Starts TensorFlow's own library on CUDA; rejects where it would not use the graphics processor. */
export async function startTensorFlowOnGpu(): Promise<void> {
  await load("@tensorflow/tfjs-node-gpu");
  const { isUsingGpuDevice } = findBackend("tensorflow") as { isUsingGpuDevice?: boolean };
  if (isUsingGpuDevice !== true) {
    throw new EngineMissing(
      "@tensorflow/tfjs-node-gpu finds no CUDA 11.2 with cuDNN 8.1 and a graphics processor",
      cuda,
    );
  }
}

async function load(name: string): Promise<void> {
  const major = Number(process.versions.node.split(".")[0]);
  try {
    await optionalPackage(name, version);
  } catch (cause) {
    if (cause instanceof EngineMissing && major <= lastNode) throw cause;
    if (major > lastNode) {
      const why = `${name} has bindings up to Node ${lastNode}; this is ${process.version}`;
      throw new EngineMissing(why, `nvm install ${lastNode} && npm install ${name}@${version}`, { cause });
    }
    // Installed without its install script: the native library was never fetched.
    const why = `${name} does not load: ${(cause as Error).message.split("\n")[0]}`;
    throw new EngineMissing(why, `npm rebuild ${name}`, { cause });
  }
  await settleBackend("tensorflow");
}

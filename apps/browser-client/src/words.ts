import type { DataSpec, ModelSpec, Phase } from "@tributary/protocol";
import type { EngineName } from "@tributary/training";

/** Everything that the page says, in one place. */
export const words = {
  product: "Tributary",
  title: "Lend this browser to a shared model",
  promise:
    "Your browser trains on data that stays in it. What leaves is the change it would make to the model, not the data.",
  reload: "Reload the page to try again.",

  insecure: {
    title: "This address is not secure, so this page cannot train",
    why: (origin: string) =>
      `The page came from ${origin}. Away from https:// and from this computer's own addresses, browsers withhold what taking part needs:`,
    missing: [
      "WebCrypto, which checks that the model is the one that was announced;",
      "WebGPU, which does the arithmetic;",
      "the isolation that keeps other pages from looking in.",
    ],
    what: "What to do:",
    ways: (port: string) => [
      `On the computer that runs the coordinator, open http://localhost:${port}/join instead.`,
      "From another device, ask the operator for an https:// address: “tributary coordinator --tls self-signed”, or a certificate of their own with --tls-cert and --tls-key.",
    ],
  },

  runs: {
    title: "Open runs",
    loading: "Asking the coordinator…",
    none: "No run is open just now. This list refreshes by itself.",
    unreachable: (detail: string) => `${detail}. Trying again…`,
    refresh: "Last seen state shown; the coordinator does not answer just now.",
    data: ({ kind, shape, classes }: DataSpec) =>
      kind === "images"
        ? `Images of ${shape.join(" × ")}, ${classes} classes`
        : `A table with ${shape.join(" × ")} features, ${classes} classes`,
    rounds: (round: number, rounds: number) => `Round ${Math.min(round + 1, rounds)} of ${rounds}`,
    accuracy: (accuracy: number) => `${(100 * accuracy).toFixed(1)} % right so far`,
    model: (model: ModelSpec) => ("preset" in model ? `Model: ${presets[model.preset]}` : "Model: of its own layers"),
    minimum: (minimum: number) => `At least ${minimum} ${minimum === 1 ? "device" : "devices"} a round`,
    tags: (tags: readonly string[]) => `For devices tagged ${tags.join(", ")} only; this page has no tags.`,
    plainTitle: "Not secure",
    plain: "the coordinator sees this device's update. It could learn something about your data from it.",
    secureTitle: "Secure aggregation",
    secure:
      "the coordinator sees the sum over a round's devices, not this device's own update, as long as those devices are real.",
  },

  locked: {
    title: "This coordinator asks for a join token",
    why: "It shows its runs to devices that it knows. Registering sends the token, a fresh key and which kind of browser this is, nothing else.",
    label: "Join token",
    button: "Register this browser",
    busy: "Registering…",
  },

  data: {
    title: "Your data",
    stays: "Files are read inside this page. They are not uploaded, and forgotten when you leave.",
    demo: "Demo: drawn digits",
    demoHint: "Handwritten-looking digits that this page draws itself, to try it out. Each device gets other digits.",
    demoDevice: "Device number",
    demoOf: "Devices in all",
    demoExamples: "Digits in all",
    demoButton: "Draw the digits",
    mnist: "MNIST files",
    mnistHint: "Two files in IDX form, gzipped or not.",
    mnistImages: "Images (…-images-idx3-ubyte)",
    mnistLabels: "Labels (…-labels-idx1-ubyte)",
    csv: "CSV file",
    csvHint: "A table with a header line, gzipped or not.",
    csvFile: "File",
    csvTarget: "Column to predict",
    csvColumns: "Columns",
    csvUse: (column: string) => `How to use ${column}`,
    csvUses: { number: "number", category: "category", ignore: "leave out" },
    csvClasses: "Classes in order (only if your file may lack some)",
    csvClassesHint: "Separated by commas. All devices of a run must agree.",
    csvButton: "Use this table",
    none: "Choose a run first.",
    reading: "Reading…",
    found: (examples: number) => `${examples.toLocaleString("en")} examples ready`,
    mismatch: (found: DataSpec, asked: DataSpec) =>
      `Your file has ${describe(found)}; this run asks for ${describe(asked)}.`,
    classes: "Examples in each class",
    more: (count: number) => `and ${count} more classes`,
    again: "Choose the file again: this page keeps none over a reload.",
  },

  device: {
    title: "This device",
    loading: "Loading the training code…",
    starting: (engine: EngineName) => `Starting ${engines[engine]}…`,
    ready: (engine: EngineName) => `Trains on ${engines[engine]}`,
    why: (reason: string) => reason,
  },

  join: {
    title: "Take part",
    leaves: "For each round this device downloads the model, trains on your data, and sends the change back.",
    button: "Join",
    waiting: {
      run: "Choose a run.",
      data: "Choose your data.",
      mismatch: "Your data does not fit this run.",
      engine: "The engine is not ready yet.",
    },
    nothing: "Nothing is sent before you press Join.",
    leave: "Leave",
    leaving: "Leaving…",
    again: "Back to the start",
  },

  part: {
    title: (run: string) => `Taking part in ${run}`,
    connecting: "Connecting…",
    connected: "Connected",
    lost: (reason: string) => `Connection lost: ${reason}. It comes back by itself; nothing is lost.`,
    phases: {
      created: "The operator has not started the run yet.",
      gathering: "Waiting for enough devices.",
      collecting: "Devices are at work.",
      aggregating: "The updates are being combined.",
      evaluating: "The new model is being judged.",
      paused: "The operator paused the run.",
      finished: "The run is finished.",
      stopped: "The operator stopped the run.",
      failed: "The run failed.",
    } satisfies Record<Phase, string>,
    idle: "Waiting for the next round.",
    asked: "Downloading the model…",
    training: "Training",
    judging: "Judging the model on your data",
    sending: "Sending the update…",
    sent: "Sent. Waiting for the next round.",
    round: "Round",
    batch: "Batch",
    epoch: "Epoch",
    loss: "Loss",
    updates: "Updates sent",
    bytes: "Sent in all",
    of: (part: number, whole: number) => `${part} of ${whole}`,
    secured: (clients: number, least: number) =>
      `This round's sum is over ${clients} devices and opens only if at least ${least} of them remain.`,
    small: "It is a small group: all the others together could work this device's part out.",
    curve: "Loss over the batches of this round",
    log: "What happened",
    finished: "The run is over. Thank you: this device is done.",
    left: "You left. Your data was forgotten; nothing more is sent.",
    failed: (detail: string) => `This device had to stop: ${detail}`,
    events: {
      connected: "Connected to the coordinator.",
      disconnected: "The connection was lost.",
      joined: "Offered this device for the run.",
      sentUpdate: (round: number, size: string, masked: boolean) =>
        `Round ${round}: sent the update, ${size}${masked ? ", masked" : ""}.`,
      sentJudgement: (round: number, size: string, masked: boolean) =>
        `Round ${round}: sent how the new model does on your data, ${size}${masked ? ", masked" : ""}.`,
      suspected: (round: number, members: number) =>
        `Round ${round}: ${members} other ${members === 1 ? "device" : "devices"} did not keep to the protocol.`,
      reused: (round: number) => `Round ${round}: asked again; the finished update is sent again.`,
      dropped: (round: number, reason: string) => `Round ${round} went on without this device: ${reason}`,
      dismissed: (round: number, reason: string) => `Round ${round}: no longer needed (${reason}).`,
      declined: (detail: string) => `Could not answer: ${detail}`,
    },
  },
} as const;

const engines: Record<EngineName, string> = {
  "tensorflow-gpu": "TensorFlow on CUDA",
  tensorflow: "TensorFlow",
  webgpu: "WebGPU",
  webgl: "WebGL",
  wasm: "WebAssembly",
  cpu: "plain JavaScript",
};

const presets = {
  logistic: "softmax regression",
  "2nn": "two layers of 200",
  cnn: "convolutional network",
  mlp: "fully connected network",
};

function describe({ kind, shape, classes }: DataSpec): string {
  const one = kind === "table" && shape.join() === "1";
  const examples =
    kind === "images" ? `images of ${shape.join(" × ")}` : `${shape.join(" × ")} feature${one ? "" : "s"}`;
  return `${examples} and ${classes} classes`;
}

/** A number of bytes for people. */
export function bytesText(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(2)} MB`;
}

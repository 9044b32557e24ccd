import type { DataSpec, ModelSpec, Phase } from "@tributary/protocol";
import type { EngineName, Parity } from "@tributary/training";

/** What one device of a round sends and fetches, in bytes. */
interface Traffic {
  readonly parameters: number | undefined;
  readonly up: number;
  readonly down: number;
  readonly clients: number;
}

/** Everything that the page says, in one place. */
export const words = {
  product: "Tributary",
  title: "Lend this browser to a shared model",
  promise:
    "Your browser works on data that stays in it. What leaves is what it has worked out, and this page says beforehand what that is.",
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

  badAddress: {
    title: "Something is wrong with this page's address",
    coordinator: (found: string) => `After coordinator= stands “${found}”. It must be an http:// or https:// address.`,
    operatorKey: (found: string) =>
      `After operator-key= stands “${found}”. It must be the 44 characters of an operator's public key, as “tributary roster” prints them.`,
    form: "It should look like this:",
  },

  code: {
    title: "This page's code",
    coordinator: (host: string) =>
      `It came from the coordinator itself (${host}). So you trust the coordinator with more than the sums: a dishonest one could serve a page that sends your data. A copy of this page that somebody else hosts cannot be changed by the coordinator.`,
    independent: (host: string, coordinator: string) =>
      `It came from ${host}, not from the coordinator (${coordinator}): a dishonest coordinator cannot change what this page does. You trust ${host} for the code instead.`,
    build: "Build (SHA-256 of integrity.json)",
    check:
      "It is the build that this page says it is, and code that was tampered with could say so too. To be sure, have what is served here checked from outside, in a checkout of Tributary:",
    command: (address: string) => `npm run verify:page -- ${address}`,
    unknown: "not known: integrity.json could not be read",
  },

  runs: {
    title: "Open runs",
    loading: "Asking the coordinator…",
    none: "No run is open just now. This list refreshes by itself.",
    unreachable: (detail: string) => `${detail} Trying again…`,
    silent: (host: string) => `${host} does not answer.`,
    confined: (coordinator: string, host: string) =>
      `This copy of the page comes from ${host}, whose policy lets it talk to ${host} alone, and not to ${coordinator}. Open ${coordinator}'s own page, or one that is hosted for it.`,
    refused: (coordinator: string, origin: string) =>
      `${coordinator} answers, but not to pages that come from ${origin}. Its operator can allow this page: tributary coordinator --allow-origin ${origin}.`,
    nobody: (host: string) =>
      `No coordinator answers at ${host}. If this page is hosted apart from its coordinator, add ?coordinator=https://… to its address.`,
    over: ({ name, phase }: { name: string; phase: Phase }) =>
      `“${name}” ${phase === "stopped" ? "was stopped by its operator" : phase === "failed" ? "has failed" : "has ended"}.`,
    curious:
      "This page takes no part in it: its secure sums withstand only a coordinator that keeps to the rules (secure.rule “curious”).",
    refresh: (detail: string) => `Last seen state shown. ${detail} Trying again…`,
    data: (data: DataSpec) => {
      const what = data.kind === "table" ? `a table with ${inWords(data)}` : inWords(data);
      return `${what.charAt(0).toUpperCase()}${what.slice(1)}, ${targetInWords(data)}`;
    },
    rounds: (round: number, rounds: number) => `Round ${Math.min(round + 1, rounds)} of ${rounds}`,
    accuracy: (accuracy: number) => `${(100 * accuracy).toFixed(1)} % right so far`,
    model: (model: ModelSpec | undefined) =>
      model === undefined
        ? "No model to train"
        : "preset" in model
          ? `Model: ${presets[model.preset]}`
          : "Model: of its own layers",
    minimum: (minimum: number) => `At least ${minimum} ${minimum === 1 ? "device" : "devices"} a round`,
    tags: (tags: readonly string[]) => `For devices tagged ${tags.join(", ")} only; this page has no tags.`,
    plainTitle: "Not secure",
    plain: "the coordinator sees this device's update. It could learn something about your data from it.",
    secureTitle: "Secure aggregation",
    secure:
      "the coordinator sees the sum over a round's devices, not this device's own update, as long as those devices are real.",
  },

  about: {
    title: "What you would take part in",
    learns: (name: string, host: string, data: DataSpec, round: number, rounds: number) =>
      `The operator of ${host} has devices train one model together: “${name}”. It learns from ${describe(data)}. ${round === 0 ? `It is to take ${rounds} rounds.` : `Round ${Math.min(round + 1, rounds)} of ${rounds} is next.`}`,
    leavesTitle: "What leaves this device",
    leaves: {
      each: (what: string, how: string) => `In each round ${what}${how}`,
      first: (rows: number, how: string) =>
        `In the first round the sum of up to ${rows} of your rows, drawn at random, for each cluster${how}`,
      ranges: (how: string) =>
        `In the first round, for each column, how many of your values lie in each of many ranges${how}`,
      judgement: (what: string, how: string) => `How well the new model does on your data: ${what}${how}`,
      masked: ". It is masked, which is noise to whoever gets it.",
      clear: ", in the clear.",
      unknown: (algorithm: string) =>
        `what “${algorithm}” adds up over all devices' data; this page does not know what that is`,
      progress: "How far this device's work is, so that the operator can see slow devices.",
      device:
        "A fresh key, the kind of browser, how many processors it has, the engine, and your network address, as with every page.",
    },
    /** What a device sends in a round. */
    does: {
      training:
        "the change that training makes to the model, how many examples it trained on, and the sum of their losses",
      steps:
        "the change that training makes to the model divided by its steps, how many examples it trained on, the sum of their losses, and the examples times the steps",
      gradient: "the model's gradient over all of your examples, how many they are, and the sum of their losses",
      controlled:
        "the change that training makes to the model, the change in how its drift is to be corrected, how many examples it trained on, the sum of their losses, and whether this device lost what it kept",
      duals:
        "the change that all of your rows together make to the model, how many they are, the sums of their losses and dual variables, how well the model does on them, and whether this device is new or lost what it kept",
      clusters:
        "for each cluster the sum of your rows in it and how many they are, and how far they all lie from their centres",
      products: "the sums of your columns' products, two at a time, and how many rows you have",
      histograms:
        "for each column how many of your values lie in each of many ranges, and the sums of the values and of their squares",
      pairs: "how often each class follows each other one in your data",
    },
    judges: {
      answers:
        "its loss, how many answers were right, of how many, and in which of twenty equal ranges the share of right ones lies",
      losses: "its loss, and over how many examples",
      clusters: "how far your rows lie from its centres, and how many they are",
    },
    staysTitle: "What stays",
    stays: {
      ofTraining: [
        "Your examples and their labels.",
        "What this device works out on the way: gradients and losses of single examples.",
      ],
      ofSums: ["Your rows, one by one: what leaves are sums over them."],
      names: "The names of your files and columns.",
    },
    guardTitle: "What protects it",
    guards: {
      sum: "Secure aggregation: the coordinator can read the sum over a round's devices, not this device's part.",
      none: "Nothing hides this device's update from the coordinator. It could learn something about your data from it.",
      rows: "A sum over a single row is that row. Where you have few, or few of them are alike, the coordinator can read rows of yours.",
      smallest: (devices: number | undefined) =>
        devices === undefined
          ? "No sum of fewer than half of a round's devices can be opened, and never one of fewer than three."
          : `No sum of fewer than ${devices} devices can be opened.`,
      /** Where the sums over all devices' rows are all that can be read. */
      few: {
        clusters:
          "The sums over all devices are read: of a cluster that has a single row in the whole round, the sum is that row, and of one with few rows their mean can be read.",
        products:
          "The sums over all devices are read: of a column in which a single row of the whole round has something, they show that row's values.",
        histograms:
          "The sums over all devices are read: in a range that a single row of the whole round lies in, its value can be seen.",
        pairs: "The sums over all devices are read: a pair that occurs once in the whole round is seen to occur.",
      },
      withheld: (rows: number) =>
        `Whatever fewer than ${rows.toLocaleString("en")} rows of a round make up is left out of the result; the coordinator can read it in the sum before that.`,
      bounded: (largest: number, rows: number) =>
        `This device takes part only if its values lie within ±${largest.toLocaleString("en")} and its rows are at most ${rows.toLocaleString("en")}: the sum has no room for more.`,
      clipped: (clip: number) =>
        `Clipping: one weight's change counts up to ${clip}, so that no device stands out further.`,
      clippedSteps: (clip: number, steps: number | undefined) =>
        `Clipping: one weight's change counts up to ${clip} for each step of training, and over a round as often as devices take steps on average${steps === undefined ? "" : `; yours are ${steps.toLocaleString("en")}, which makes up to ${rounded(clip * steps)}`}.`,
      clippedControl: (clip: number, control: number) =>
        `Clipping: one weight's change counts up to ${clip}, and the change in how its drift is to be corrected up to ${control}, so that no device stands out further.`,
      unclipped:
        "Nothing is clipped: a device whose examples are unlike the others' shows in the sum as far as they differ.",
      noNoise: "No noise is added to the model: what many devices have in common can be seen in it.",
    },
    costTitle: "What it costs you",
    costs: {
      left: (rounds: number) => `${rounds} ${rounds === 1 ? "round" : "rounds"} at most; you can leave at any time.`,
      traffic: (
        { parameters, up, down, clients }: Traffic,
        { secure, isOpen }: { secure: boolean; isOpen: boolean },
      ) => {
        const weights = parameters === undefined ? "" : ` for the model's ${parameters.toLocaleString("en")} weights`;
        const devices = secure ? ` in a round of ${clients} devices${isOpen ? ", more in a larger one" : ""}` : "";
        return `Traffic in each round${weights}: ${bytesText(up)} up and about ${bytesText(down)} down${devices}. On top come reports of progress, up to four a second of some 150 bytes each, and what has to be sent twice.`;
      },
      time: (seconds: number) =>
        `Work in each round: about ${secondsText(seconds)}, at this device's measured speed and the share of it that you give.`,
      passes: "Work in each round: a pass over your data, or a few; no layers are trained.",
      trafficUnknown: "Traffic in each round: it stands here once the training code has been loaded.",
      timeUnknown: "Work in each round: it stands here once your data is chosen and the engine measured.",
      power: "Power: training is hard work for a processor. You say below how much of the device to give.",
    },
  },

  model: {
    title: "The model so far",
    why: "Try it here, in this page: what you show it is not sent. Or take it along.",
    whyLearnt: "What the devices have worked out together, to take along.",
    saveLearnt: "Save what was learnt",
    learntFile: (run: string, version: number) => `${run}-version-${version}.json`,
    load: "Fetch the newest model",
    loading: "Fetching…",
    version: (version: number, weights: number) => `Version ${version}, ${weights.toLocaleString("en")} weights.`,
    draw: "Draw a digit",
    pad: "A pad to draw a digit on, with a finger, a mouse or the keyboard",
    padKeys: "By keyboard: the arrow keys move the pen, the space bar puts it down or lifts it.",
    pen: (down: boolean, row: number, column: number, cells: number) =>
      `Pen ${down ? "down" : "up"}, row ${row}, column ${column} of ${cells}.`,
    cleared: "The pad is empty.",
    clear: "Clear",
    picture: "Show it a picture",
    pictureFile: "Picture",
    pictureHint: (height: number, width: number) =>
      `Scaled to ${width} × ${height} pixels, as this run's pictures are.`,
    write: "Let it write",
    beginning: "Beginning",
    beginningHint: (window: number) => `The model goes on from the last ${window} characters.`,
    goOn: "Go on",
    rate: "Ask for a rating",
    user: "User",
    item: "Item",
    line: "Line in LIBSVM's form",
    lineHint: (features: number) =>
      `As in a file: a label, which is not looked at, and index:value with indices from 1 to ${features}.`,
    type: "Type a row",
    ask: "Ask the model",
    nothing: "The model's answer will stand here.",
    writes: "The model writes:",
    answer: (name: string) => `The model says: ${name}`,
    probability: (share: number) => `${(100 * share).toFixed(0)} %`,
    save: (name: string) => `Save ${name}`,
    saveHint: "In one folder, these two files are a model that TensorFlow.js loads (tf.loadLayersModel).",
  },

  accuracy: {
    title: "How often the model is right",
    ownName: "On your data:",
    federationName: "Over the federation:",
    nothing: "Known once the first round's model has been judged.",
    percent: (share: number) => `${(100 * share).toFixed(1)} %`,
    summary: (own: number | undefined, federation: number | undefined) =>
      [
        own === undefined ? "Not judged on your data yet" : `Right on ${(100 * own).toFixed(1)} % of your data`,
        federation === undefined ? "" : `, on ${(100 * federation).toFixed(1)} % over the federation`,
        ".",
      ].join(""),
    axis: (round: number) => `round ${round}`,
    most: "100 %",
    least: "0 %",
  },

  ledger: {
    title: "What left this device",
    about:
      "Every request and every message that this page sent since it was opened in this tab, with its size and SHA-256; the loading of its own code is not among them. What is masked looks like noise to whoever gets it, what is in the clear can be read.",
    nothing: "Nothing has left this device yet.",
    total: (count: number, bytes: number, masked: number) =>
      `${count.toLocaleString("en")} ${count === 1 ? "message" : "messages"}, ${bytesText(bytes)} in all${masked === 0 ? "" : `, ${bytesText(masked)} of it masked`}.`,
    kinds: "In sum",
    newest: "One by one, the newest first",
    onlyCarrying: "Leave out requests without content",
    older: "Show older ones",
    partial: "Still older ones are in the file that you can save.",
    save: "Save as JSON",
    file: "tributary-ledger.json",
    picture: (kind: string, round: number, masked: boolean) =>
      `${kind} of round ${round}, the bytes as they left${masked ? " (masked)" : " (not masked)"}`,
    noPicture: "Here the bytes of the newest update will be drawn as they left.",
    dots: "One dot for each of the first bytes, from black (0) to white (255)",
    histogram: "How often each byte value occurs, from 0 to 255",
    noise: (chiSquare: number) =>
      `Noise: every byte value occurs about equally often (χ² = ${chiSquare.toFixed(0)}; noise has 255 ± 113). Only the sum over the round's devices can be read.`,
    notNoise: (chiSquare: number) =>
      `Not noise: some byte values occur far more often than others (χ² = ${chiSquare.toFixed(0)}; noise has 255 ± 113).`,
    round: (round: number) => `, round ${round}`,
    columns: {
      time: "When",
      kind: "What",
      times: "Times",
      bytes: "Bytes",
      protection: "Protection",
      sha256: "SHA-256",
    },
    kindNames: {
      enrolment: "Enrolment: a fresh key, kind of browser, processors, engine",
      login: "Login: proof of the key",
      update: "Update",
      judgement: "How well the model does here",
      keys: "Public keys for the secure sum",
      shares: "Sealed shares for the secure sum",
      tags: "Confirmation of who is in the sum",
      reveal: "Shares that open the sum",
      request: "Request without content",
      body: "Request",
      connect: "Connection opened",
      disconnect: "Connection closed",
      offer: "Offer to take part",
      progress: "Progress of the training",
      decline: "A question declined",
      leave: "Farewell",
      ping: "Sign of life",
      pong: "Sign of life",
      message: "Acknowledgement",
    },
    protections: {
      none: "in the clear",
      masked: "masked: only the sum can be read",
      keys: "public by nature",
      shares: "sealed for other devices, or part of the opening",
      tags: "reveals nothing of the data",
    },
  },

  trust: {
    nobody:
      "Nobody but the coordinator says who those devices are, so this holds against an honest-but-curious coordinator: one that keeps to the rules and looks at whatever it gets. One that invents the other devices could work out your update.",
    roster: "Only devices on the roster that the operator signed count, so the coordinator cannot invent others.",
  },

  locked: {
    title: "This coordinator asks for a join token",
    why: "It shows its runs to devices that it knows. Registering sends the token, a fresh key, the kind of browser, how many processors it has, and the engine; nothing of your data.",
    label: "Join token",
    button: "Register this browser",
    busy: "Registering…",
  },

  data: {
    title: "Your data",
    stays:
      "Files are read inside this page. They are not uploaded, and forgotten when you leave, unless you keep them.",
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
    csvHint: "A table with a header line, its values separated by commas, semicolons or tabs; gzipped or not.",
    csvFile: "File",
    csvTarget: "Column to predict",
    csvHeader: "The first line names the columns",
    csvMissing: "Rows in which a value is missing",
    csvMissingUses: {
      refuse: "are named, and the file is refused",
      skip: "are left out",
      mean: "get the column's mean",
    },
    csvColumns: "Columns",
    csvUse: (column: string) => `How to use ${column}`,
    csvUses: { number: "number", category: "category", ignore: "leave out" },
    csvClasses: "Classes in order (only if your file may lack some)",
    csvClassesHint: "Separated by commas. All devices of a run must agree.",
    csvButton: "Use this table",
    text: "Text file",
    textHint: "A text in UTF-8 such as .txt, gzipped or not. Each of its characters is an example.",
    textFile: "Text",
    textFound: (characters: number, window: number, occurring: number, vocabulary: number) =>
      `${characters.toLocaleString("en")} characters, each to be told from a window of the ${window} before it; ${occurring} of the run's ${vocabulary} characters occur.`,
    characters: "How often each character occurs",
    character: (character: string) => ({ "\n": "end of line", " ": "space", "\t": "tab" })[character] ?? character,
    moreCharacters: (count: number) => `and ${count} more ${count === 1 ? "character" : "characters"}`,
    libsvm: "LIBSVM file",
    libsvmHint: "A line an example: its label, then index:value for each feature that is not 0. Gzipped or not.",
    libsvmFile: "File in LIBSVM's form",
    ratings: "Ratings",
    ratingsHint: "A line a rating: user, item and rating, separated by commas. Gzipped or not.",
    ratingsFile: "Table of ratings",
    ratingsFound: (users: number, items: number) =>
      `By ${users.toLocaleString("en")} ${users === 1 ? "user" : "users"}, of ${items.toLocaleString("en")} ${items === 1 ? "item" : "items"}.`,
    images: "Images in folders",
    imagesHint: "A folder whose folders are the classes, with PNG, JPEG or other images in them.",
    imagesFolder: "Folder",
    drop: "You can also drop the files here.",
    notDropped: (names: readonly string[]) =>
      names.length === 0
        ? "What was dropped holds no files."
        : `This run has no use for ${names.slice(0, 3).join(", ")}${names.length > 3 ? " and the others" : ""}.`,
    notOne: (names: readonly string[]) =>
      `One file is wanted here, and ${names.length} were dropped: ${someOf(names)}. Drop the one to read.`,
    notMnist: (names: readonly string[]) =>
      `One file of images and one of labels are wanted, named as MNIST's own are; dropped were ${someOf(names)}.`,
    leftOut: (paths: readonly string[]) =>
      `${paths.length} ${paths.length === 1 ? "file" : "files"} left out: ${someOf(paths)}. Browsers read PNG, JPEG, GIF, WebP, BMP and AVIF, in a class's folder.`,
    from: (names: readonly string[]) => `from ${names.join(" and ")}`,
    percent: (share: number) => `${Math.floor(100 * share)} %`,
    giveUp: "Stop reading",
    sample: "How your file begins",
    sampleAlt: "The first lines of your file, as a picture",
    uses: { number: "number", category: "category", ignore: "left out", target: "to predict" },
    thumbnails: (count: number) => `${count} of your images, each with its class`,
    features: (names: readonly string[]) =>
      `${names.length} ${names.length === 1 ? "feature" : "features"}: ${names.slice(0, 12).join(", ")}${names.length > 12 ? ", …" : ""}`,
    keep: "Keep these files in this browser, also after I leave (in its private storage for this page; never uploaded)",
    kept: "They are kept.",
    keptBefore: "This browser keeps data that you chose before.",
    useKept: "Use it",
    forgetKept: "Delete it",
    notKept: (reason: string) => `This browser could not keep the files: ${reason}`,
    keptGone: "What this browser kept is gone, or can no longer be read.",
    none: "Choose a run first.",
    reading: "Reading…",
    found: (examples: number) => `${examples.toLocaleString("en")} examples ready`,
    mismatch: (found: DataSpec, asked: DataSpec) =>
      `Your file has ${describe(found)}; this run asks for ${describe(asked)}.`,
    classes: "Examples in each class",
    more: (count: number) => `and ${count} more classes`,
    again:
      "This tab took part in a run when it was reloaded. It does not any more: the page forgot your files with that. Choose them again to go on.",
  },

  /** What is wrong with a file, beside what the readers of packages/training say. */
  files: {
    kinds: {
      csv: "a table in CSV form",
      text: "a text in UTF-8",
      libsvm: "a file in LIBSVM's form",
      ratings: "a table of ratings",
    },
    noTable: (file: string, columns: number) =>
      `${file} does not look like a table: its first line has ${columns} ${columns === 1 ? "column" : "columns"}, and at least two, separated by commas, semicolons or tabs, are needed.`,
    unreadable: (file: string, reason: string) => `${file} can no longer be read (${reason}); choose it again.`,
    notText: (file: string, wanted: string) => `${file} is not text; ${wanted} is wanted.`,
    notUtf8: (file: string) =>
      `${file} is text in another encoding than UTF-8 or UTF-16; save it as UTF-8 and choose it again.`,
    empty: "There are no examples in it.",
    classes: (found: number, most: number, column: string | undefined) =>
      `${column === undefined ? "What is to be told" : `The column “${column}”`} has ${found.toLocaleString("en")} different values, and at most ${most.toLocaleString("en")} can be classes: is it a number, or a name of each row? Choose another column to predict.`,
    memory:
      "It takes more memory than a page has. Is a column with very many different values used as a category? Leave it out, or choose a smaller file.",
    noClass: (path: string, label: string, classes: readonly string[]) =>
      `${path}: “${label}” is none of the classes ${classes.join(", ")}.`,
    notPictures: (shape: readonly number[]) =>
      `This run asks for examples of ${shape.join(" × ")}; images have a height, a width and 1 or 3 channels.`,
    noPicture: (path: string) => `${path} is not an image that this browser can read.`,
    noFolder: "These images lie in no folder; a folder whose folders are the classes is wanted.",
    noPictures: (ignored: readonly string[]) =>
      ignored.length === 0
        ? "This folder is empty."
        : `This folder has no image that browsers read (PNG, JPEG, GIF, WebP, BMP, AVIF), but ${ignored.slice(0, 3).join(", ")}${ignored.length > 3 ? " and others" : ""}.`,
    noCanvas: "This browser draws nothing in workers.",
    damagedGzip: (file: string) => `${file} is a damaged gzip file.`,
    noData: "No data was chosen.",
    left: "This device left.",
    startedAnew: "The training code stood still and was started anew. Please try once more.",
    oneLine: (found: number) => `One line is wanted, not ${found}.`,
    noCode: "its code could not be loaded",
    worker: (reason: string) => `The training worker failed: ${reason}.`,
    status: (status: number) => `HTTP status ${status}`,
    noFiles: (reason: string) => `its files could not be fetched (${reason})`,
  },

  device: {
    title: "This device",
    loading: "Loading the training code…",
    starting: (engine: EngineName) => `Starting ${engines[engine]}…`,
    ready: (engine: EngineName, adapter: string | undefined) =>
      `Trains on ${engines[engine]}${adapter === undefined ? "" : `: ${adapter}`}`,
    why: (reason: string) => reason,
    proof: ({ difference, tolerance, layers }: Parity) =>
      `It calculates rightly: a training step on it is within ${difference.toExponential(1)} of plain JavaScript's (at most ${tolerance} is rounding${layers.length === 0 ? "" : `; furthest off: ${layers.join(", ")}`}).`,
    measuring: "Measuring how fast…",
    speed: (examplesPerSecond: number) => `About ${rounded(examplesPerSecond)} examples a second of this run's model`,
    noLayers: "This run trains no layers; what it works out is quick on any engine.",
  },

  use: {
    title: "How much of this device to use",
    share: "Time given to training:",
    shareText: (percent: number) => `${percent} %`,
    battery: "Pause while this device runs on its battery",
    noBattery: "This browser does not say whether the device runs on its battery; pause by hand if it does.",
    screen: "Keep the screen on while taking part",
    noScreen: "This browser cannot keep the screen on.",
    hidden: {
      locks:
        "It goes on while another tab is in front: the page holds a lock, so the browser does not put it to sleep, though it may slow it down.",
      phone: "Phones stop pages that are not in front: it goes on by itself when you come back to it.",
      nothing:
        "This browser may put the page to sleep while another tab is in front; it then goes on when you come back.",
    },
    pause: "Pause",
    resume: "Go on",
    paused: {
      hand: (isOffered: boolean) =>
        `Paused by you. This device trains nothing until you let it go on${pausedText(isOffered)}`,
      battery: (isOffered: boolean) =>
        `Paused: the device runs on its battery. It trains nothing until it is charged${pausedText(isOffered)}`,
    },
  },

  join: {
    title: "Take part",
    leaves:
      "In each round this device fetches what was learnt so far, works on your data, and sends what is said above.",
    button: "Join",
    waiting: {
      run: "Choose a run.",
      data: "Choose your data.",
      mismatch: "Your data does not fit this run.",
      engine: "The engine is not ready yet.",
    },
    nothing: "Nothing of your data, or worked out from it, is sent before you press Join.",
    leave: "Leave",
    leaving: "Leaving…",
    again: "Back to the start",
  },

  resuming: {
    title: "Going on where you were",
    why: "This tab took part in a run when it was reloaded. It joins again by itself once your data is read and the engine has started.",
    stop: "Do not join again",
  },

  part: {
    title: (run: string) => `Taking part in ${run}`,
    connecting: "Connecting…",
    connected: "Connected",
    retrying: "Connected, but an answer did not get through; it is sent again.",
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
    over: {
      finished: "Done.",
      stopped: "Done.",
      failed: "Done.",
      gone: "Done.",
      left: "The run goes on without this device.",
      broken: "This device does nothing any more.",
      changed: "This device does nothing any more.",
    },
    asked: "Downloading the model…",
    training: "Training",
    judging: "Judging the model on your data",
    sending: "Sending the update…",
    sent: "Sent. Waiting for the next round.",
    declined: (detail: string) => `This device does not do what it was asked for: ${detail}`,
    round: "Round",
    batch: "Batch",
    epoch: "Epoch",
    loss: "Loss",
    updates: "Updates sent",
    bytes: "Sent in all",
    steps: {
      at: (step: number, names: readonly string[]) => `Step ${step + 1} of ${names.length}: ${names[step]}`,
      left: (seconds: number) => (seconds <= 0 ? "; its time is over" : `; ${seconds} s left`),
      plain: ["the answer"],
      secure: ["public keys", "sealed shares", "the masked answer", "who is in the sum", "opening the sum"],
    },
    of: (part: number, whole: number) => `${part} of ${whole}`,
    secured: (clients: number, least: number) =>
      `This round's sum is over ${clients} devices and opens only if at least ${least} of them remain.`,
    small: "It is a small group: all the others together could work this device's part out.",
    curve: "Loss over the batches so far, the newest on the right",
    log: "What happened",
    finished: "The run is over. Thank you: this device is done.",
    gone: "The run is over. Thank you: this device is done.",
    stopped: "The operator stopped the run. Thank you: this device is done.",
    left: "You left. Your data was forgotten; nothing more is sent.",
    leftKept: "You left; nothing more is sent. The files that you chose to keep are still in this browser.",
    failed: "The run failed, and is over. Thank you: this device is done.",
    broken: (detail: string) => `This device had to stop: ${detail}`,
    changed: "This is not the coordinator that this browser knew. Nothing of your data was sent to it.",
    changedWhy: (detail: string) =>
      `It shows another key than before: ${detail}. It may have been set up anew, or somebody else may be answering in its place. Ask the operator, not this page, which key is right.`,
    trust: "Trust the new key",
    known: (key: string, since: string) => `Coordinator's key: ${key}, known to this browser since ${since}.`,
    events: {
      connected: "Connected to the coordinator.",
      disconnected: "The connection was lost.",
      joined: "Offered this device for the run.",
      withdrawn: "Withdrew this device from the run for as long as it is paused.",
      stoodDown: (round: number) => `Round ${round} goes on without this device: it is paused.`,
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

/** A short pause changes nothing; an update that has left is seen through. */
const pausedText = (isOffered: boolean) =>
  isOffered
    ? ". If the pause lasts longer than two seconds it withdraws from the run, as soon as the sum that has its update already is open."
    : ". Until then it is asked nothing, and rounds go on as if it were not there.";

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
  "char-gru": "recurrent network over characters",
  "matrix-factorization": "matrix factorization",
};

const mostNames = 5;

/** The first of several names, and how many there are beside them. */
function someOf(names: readonly string[]): string {
  const others = names.length - mostNames;
  return `${names.slice(0, mostNames).join(", ")}${others > 0 ? `, and ${others} more` : ""}`;
}

const describe = (data: DataSpec) => `${inWords(data)} and ${targetInWords(data)}`;

function inWords({ kind, shape }: DataSpec): string {
  const size = shape.join(" × ");
  switch (kind) {
    case "images":
      return `images of ${size}`;
    case "table":
      return `${size} feature${size === "1" ? "" : "s"}`;
    case "sparse":
      return `sparse rows of ${size} feature${size === "1" ? "" : "s"}`;
    case "text":
      return `text in windows of ${size} character${size === "1" ? "" : "s"}`;
    case "ratings":
      return "ratings of items by users";
  }
}

function targetInWords({ target, classes }: DataSpec): string {
  switch (target) {
    case "class":
      return `${classes} classes`;
    case "number":
      return "a number to predict";
    case "none":
      return "nothing to predict";
  }
}

/** Two digits are as many as a measurement of a moment has. */
function rounded(value: number): string {
  return Number(value.toPrecision(2)).toLocaleString("en");
}

/** A duration for people; what takes a moment is not worth its digits. */
function secondsText(seconds: number): string {
  if (seconds < 1) return "a second";
  return seconds < 90 ? `${rounded(seconds)} seconds` : `${rounded(seconds / 60)} minutes`;
}

/** A number of bytes for people. */
export function bytesText(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(2)} MB`;
}

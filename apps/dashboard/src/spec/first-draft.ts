/** What the form begins with: handwritten digits, in rounds of ten devices under secure aggregation. */
export const firstDraft = {
  name: "Digits",
  algorithm: { name: "fedavg", learningRate: 0.1 },
  model: { preset: "2nn" },
  data: { kind: "images", shape: [28, 28, 1], classes: 10 },
  cohort: { size: 10, minimum: 5 },
  stop: { rounds: 10 },
} as const;

/** What a draft gets whose algorithm begins to train layers: it fits every kind of data. */
export const firstModel = { preset: "logistic" } as const;

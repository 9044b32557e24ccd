export * from "./contract.ts";
export * from "./exact-scale.ts";
export * from "./judgement-metrics.ts";
export * from "./no-trainer.ts";
export * from "./random.ts";
export * from "./rows.ts";
export * from "./training.ts";

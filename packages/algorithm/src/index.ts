export * from "./contract.ts";
export * from "./random.ts";
export * from "./training.ts";

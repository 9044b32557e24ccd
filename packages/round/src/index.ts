export * from "./cohort.ts";
export * from "./fold.ts";
export * from "./plan.ts";
export * from "./progress.ts";
export { refusalOf } from "./round.ts";
export * from "./run.ts";
export * from "./state.ts";

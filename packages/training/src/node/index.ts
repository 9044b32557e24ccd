export { type OpenDataOptions, openData } from "./open-data.ts";
export type { OpenedData } from "./opened.ts";
export { type SourceOptions, sourceQuery } from "./source.ts";
export { TrainerPool } from "./trainer-pool.ts";

export { type OpenDataOptions, type OpenedData, openData } from "./open-data.ts";
export { schemaQuery } from "./source.ts";

export { type CoordinatorOptions, type RunningCoordinator, startCoordinator, UnsafeOptions } from "./main.ts";
export { DataFolderInUse } from "./store/lock.ts";

export { keysFromSecret, newSeed, signerOf } from "./device-keys.ts";
export { type HostedDevice, type JoinHandle, type JoinOptions, join } from "./join.ts";
export { MemoryCapReached } from "./memory-cap.ts";
export { pinnedTls, platformTls, type Transport } from "./tls.ts";
export type { TrainerFactory } from "./trainers.ts";

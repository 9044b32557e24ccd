export { type SimulatedRound, type SimulationOptions, type SimulationResult, simulate } from "./simulate.ts";

import { type ClientHalf, type Dataset, noTrainer, type Trainer } from "@tributary/algorithm";
import { clientHalfNamed } from "@tributary/catalog";
import {
  type DeviceFloors,
  type DeviceKeys,
  type IdentityStore,
  type OnEvent,
  type Participant,
  participate,
} from "@tributary/participant";
import type { DataSpec, ModelSpec, RunId } from "@tributary/protocol";
import { chooseEngine, createTrainer, fitData } from "@tributary/training";

export { setWasmFiles } from "@tributary/training";

/** Makes a trainer of a model for data of a description. */
export type TrainerFactory = (wanted: { model: ModelSpec; data: DataSpec }) => Promise<Trainer>;

export interface JoinOptions {
  /** The coordinator's base URL; it must allow this page's origin (`--allow-origin`). */
  readonly coordinator: string;
  /** What the operator sees this device as. */
  readonly name: string;
  readonly dataset: Dataset;
  /** What the examples look like. */
  readonly data: DataSpec;
  /** Default: the best engine of `@tributary/training` that takes the step it should, in the thread that calls. */
  readonly trainerFactory?: TrainerFactory;
  readonly joinToken?: string;
  /** This run alone, and done when it is over; otherwise every open run that fits, until told to leave. */
  readonly run?: RunId;
  readonly tags?: readonly string[];
  /** Where this device keeps who it is, and its key. Default: for as long as the page lives. */
  readonly identity?: IdentityStore;
  readonly keys?: DeviceKeys;
  /** What this device insists on, whatever a coordinator proposes. */
  readonly floors?: DeviceFloors;
  /** The coordinator's Ed25519 key in base64; default: the one it proves at first. */
  readonly coordinatorKey?: string;
  /** In place of the catalog's algorithms. */
  readonly clientHalf?: (name: string) => ClientHalf;
  readonly onEvent?: OnEvent;
}

/**
 * Lends this page or worker to a federation: one device. Training with the default engine belongs into a worker, where it
 * blocks nothing. Rejects where no engine runs here.
 */
export async function join(options: JoinOptions): Promise<Participant> {
  const { dataset, data: own, trainerFactory, clientHalf = clientHalfNamed, ...rest } = options;
  const engine = trainerFactory === undefined ? (await chooseEngine({ proven: true })).engine : undefined;
  const make: TrainerFactory = trainerFactory ?? ((wanted) => createTrainer({ ...wanted, engine: engine! }));
  return participate({
    ...rest,
    engine: engine ?? "custom",
    fetch: (url, init) => fetch(url, init),
    clientHalf,
    datasetFor({ data }) {
      return fitData({ dataset, data: own }, data);
    },
    trainerFor: ({ model, data }) => (model === undefined ? Promise.resolve(noTrainer) : make({ model, data })),
  });
}

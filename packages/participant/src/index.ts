export type { Abilities } from "./admission.ts";
export { BlobCache } from "./blob-cache.ts";
export { type Clock, sleep, systemClock } from "./clock.ts";
export { type DeviceKeys, keysInMemory } from "./device-key.ts";
export { enrolDevice } from "./enrol-device.ts";
export type { OnEvent, ParticipantEvent } from "./events.ts";
export { Identity, type IdentityStore, identityInMemory } from "./identity.ts";
export { type KeptEntry, type KeptRecord, type KeptStore, keptInMemory } from "./kept.ts";
export { entryOf, type Ledger, type LedgerEntry, type Protection } from "./ledger.ts";
export type { Fetch, SocketTransport } from "./outbox.ts";
export { type Participant, type ParticipantOptions, type ParticipantState, participate } from "./participant.ts";
export { platformRandom } from "./platform-random.ts";
export type { Pace } from "./progress-report.ts";
export type { HttpResponse } from "./response.ts";
export { retrying } from "./retry.ts";
export {
  type AnswerStore,
  answersInMemory,
  type KeptAnswers,
  readAnswers,
  type WrittenAnswers,
  writeAnswers,
} from "./secure-answers.ts";
export type { DeviceFloors } from "./secure-floors.ts";
export { WorkQueue } from "./work-queue.ts";

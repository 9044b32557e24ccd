import { freshKeyPair, type KeyPair, type Signer } from "../crypto/backend.ts";
import { encodeAdvertisement, signKeys } from "../message/advertisement.ts";
import { checkParameters } from "../session/floors.ts";
import { configHashOf, decodeParameters, type SessionParameters } from "../session/parameters.ts";
import type { ClientPorts } from "./ports.ts";
import { checkNotRevealed } from "./reveals.ts";

/** Keys are out; the roster is to come. */
export interface Advertised {
  readonly phase: "advertised";
  readonly parameters: SessionParameters;
  readonly configHash: Uint8Array;
  readonly client: string;
  readonly identityKey: Uint8Array;
  readonly channel: KeyPair;
  readonly mask: KeyPair;
}

/** What a device knows of itself and of what it was asked, independent of the coordinator. */
export interface Enrolled {
  readonly client: string;
  readonly signer: Signer;
  /** What was already revealed: see `revealKey`. */
  readonly revealed: ReadonlySet<string>;
  /** The hash of the model that this device holds. */
  readonly modelHash: string;
}

/**
 * R0 (Bonawitz et al. 2017, fig. 4, round 0). Checks the session parameters, makes fresh keys and signs them. Throws
 * `ProtocolError` with the codes of `checkParameters`, or "secure_already_revealed", or "model_hash_mismatch".
 */
export async function advertise(
  ports: ClientPorts,
  self: Enrolled,
  question: Uint8Array,
): Promise<{ state: Advertised; answer: Uint8Array }> {
  const parameters = decodeParameters(question);
  checkParameters(parameters, ports.floors);
  checkNotRevealed(self.revealed, parameters, self.modelHash);
  const configHash = configHashOf(parameters);
  // Two key pairs: s is revealed when a client drops out, and must open no envelope (§B.1, row 12).
  const channel = await freshKeyPair(ports.crypto);
  const mask = await freshKeyPair(ports.crypto);
  const keys = { channelKey: channel.publicKey, maskKey: mask.publicKey };
  const signature = await signKeys(self.signer, { configHash, client: self.client }, keys);
  const { client } = self;
  const identityKey = self.signer.publicKey;
  const state: Advertised = { phase: "advertised", parameters, configHash, client, identityKey, channel, mask };
  return { state, answer: encodeAdvertisement(configHash, { ...keys, signature }) };
}

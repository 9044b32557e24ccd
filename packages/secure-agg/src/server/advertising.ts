import { bytesToHex } from "@noble/hashes/utils.js";
import { ProtocolError } from "@tributary/protocol";
import type { CryptoBackend } from "../crypto/backend.ts";
import { isSmallOrderPoint } from "../crypto/strict-keys.ts";
import { type Graph, graphOf } from "../graph/graph.ts";
import { decodeAdvertisement, verifyKeys } from "../message/advertisement.ts";
import { encodeRoster, type Member, type Roster, rosterOf } from "../message/roster.ts";
import { checkParameters, type Floors } from "../session/floors.ts";
import { requireEnough } from "../session/members.ts";
import { configHashOf, encodeParameters, type SessionParameters } from "../session/parameters.ts";

/**
 *   Advertising ─▶ Sharing ─▶ Masking ─▶ Confirming ─▶ Unmasking ─▶ SecureTotal
 *        each step collects answers, then closes: the next step, or ProtocolError, which ends the attempt
 *
 * A step's inbox is a running total: `receive…` adds to it in place.
 */
export interface Advertising {
  readonly step: "advertising";
  readonly parameters: SessionParameters;
  readonly configHash: Uint8Array;
  /** The question: the same bytes for everyone asked. */
  readonly question: Uint8Array;
  readonly inbox: Map<string, Member>;
  /** Every key that was sent, in hexadecimal, and whose it is. */
  readonly owners: Map<string, string>;
}

/** What became of an answer. A repeat of the same bytes is accepted and changes nothing. */
export type Received = "accepted" | "duplicate";

/** The session as all later steps know it. */
export interface Roll {
  readonly parameters: SessionParameters;
  readonly configHash: Uint8Array;
  readonly roster: Roster;
  readonly graph: Graph;
}

/** Opens a session; throws what `checkParameters` throws, so that a run is refused before anyone is asked. */
export function openSession(parameters: SessionParameters, floors?: Floors): Advertising {
  checkParameters(parameters, floors);
  const question = encodeParameters(parameters);
  return {
    step: "advertising",
    parameters,
    configHash: configHashOf(parameters),
    question,
    inbox: new Map(),
    owners: new Map(),
  };
}

/** Takes a client's signed keys. Throws `ProtocolError("secure_key" | "conflicting_update" | "secure_message")`. */
export async function receiveAdvertisement(
  state: Advertising,
  from: { client: string; identityKey: Uint8Array; crypto: CryptoBackend },
  bytes: Uint8Array,
): Promise<Received> {
  const { configHash, inbox, owners, parameters } = state;
  const { client, identityKey, crypto } = from;
  const member: Member = { client, identityKey, ...decodeAdvertisement(configHash, bytes) };
  // One bad key would make every neighbour refuse the roster, so it never gets there.
  for (const key of [member.channelKey, member.maskKey]) {
    if (isSmallOrderPoint(key)) refuse(client, "its session keys are of small order");
  }
  if (!(await verifyKeys(crypto, { configHash, client, identityKey }, member))) refuse(client, "bad signature");
  const keys = keysOf(member);
  const earlier = inbox.get(client);
  if (earlier !== undefined) {
    if (keysOf(earlier).every((key, i) => key === keys[i])) return "duplicate";
    throw new ProtocolError("conflicting_update", `${client} already sent other keys for this session`);
  }
  if (new Set(keys).size !== keys.length) refuse(client, "it uses one key twice");
  const taken = keys.find((key) => owners.has(key));
  if (taken !== undefined) refuse(client, `it uses a key of ${owners.get(taken)}`);
  if (inbox.size >= parameters.clients) {
    throw new ProtocolError("phase_closed", `the cohort of ${parameters.clients} is full`);
  }
  inbox.set(client, member);
  for (const key of keys) owners.set(key, client);
  return "accepted";
}

/** R0 closes: the roster and its graph. Throws `ProtocolError("secure_too_few")`. */
export function closeAdvertising(state: Advertising): Sharing {
  const { parameters, configHash, inbox } = state;
  requireEnough(inbox.size, Math.max(parameters.minimumSurvivors, parameters.threshold), "clients that sent keys");
  const roster = rosterOf(configHash, [...inbox.values()]);
  const graph = graphOf(parameters.graph, { size: roster.members.length, hash: roster.hash, configHash });
  const question = encodeRoster(configHash, roster.members);
  return { step: "sharing", parameters, configHash, roster, graph, question, inbox: new Map() };
}

/** U1 is known; shares are coming. */
export interface Sharing extends Roll {
  readonly step: "sharing";
  /** The roster: the same bytes for every member. */
  readonly question: Uint8Array;
  /** Each member's message. */
  readonly inbox: Map<number, Uint8Array>;
}

/** The roster index of a client; throws `ProtocolError("not_asked")` for one that is not on it. */
export function memberIndex({ roster }: Pick<Roll, "roster">, client: string): number {
  const index = roster.members.findIndex((member) => member.client === client);
  if (index < 0) throw new ProtocolError("not_asked", `${client} is not on this session's roster`);
  return index;
}

function keysOf(member: Member): string[] {
  return [member.identityKey, member.channelKey, member.maskKey].map(bytesToHex);
}

function refuse(client: string, why: string): never {
  throw new ProtocolError("secure_key", `the keys of ${client} are refused: ${why}`);
}

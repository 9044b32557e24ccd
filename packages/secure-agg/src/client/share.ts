import { equalBytes } from "@noble/ciphers/utils.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { ProtocolError } from "@tributary/protocol";
import { type CryptoBackend, type KeyPair, sharedSecret } from "../crypto/backend.ts";
import { wipe } from "../crypto/bytes.ts";
import { deriveKey, pairBytes } from "../crypto/derive.ts";
import { type Graph, graphOf } from "../graph/graph.ts";
import { verifyKeys } from "../message/advertisement.ts";
import { type DealtShares, sealEnvelope } from "../message/envelope.ts";
import { decodeRoster, type Roster, type RosterName } from "../message/roster.ts";
import { encodeShares } from "../message/shares.ts";
import { checkThreshold } from "../session/floors.ts";
import { commitmentOf } from "../session/mask-seeds.ts";
import { requireEnough } from "../session/members.ts";
import type { SessionParameters } from "../session/parameters.ts";
import { split } from "../shamir/shamir.ts";
import type { Advertised } from "./advertise.ts";
import { spend } from "./once.ts";
import type { ClientPorts } from "./ports.ts";

/** The keys of one pair's channel: one seals envelopes, the other confirms survivors. */
export interface ChannelKeys {
  readonly boxKey: Uint8Array;
  readonly macKey: Uint8Array;
}

/** Shares are dealt; who else dealt theirs is to come. */
export interface Shared {
  readonly phase: "shared";
  readonly parameters: SessionParameters;
  readonly configHash: Uint8Array;
  readonly roster: RosterName;
  /** The peers' public mask keys: all that is still needed of the roster. */
  readonly maskKeys: ReadonlyMap<number, Uint8Array>;
  readonly graph: Graph;
  readonly me: number;
  readonly mask: KeyPair;
  readonly selfSecret: Uint8Array;
  /** The share of oneself, on a complete graph. */
  readonly own: DealtShares | undefined;
  readonly channels: ReadonlyMap<number, ChannelKeys>;
}

/**
 * R1 (fig. 4, round 1): checks the roster, derives the neighbours, deals shares of b and s. Throws
 * `ProtocolError("secure_roster" | "secure_key" | "secure_floor" | "secure_too_few")`; the attempt is over then.
 */
export async function share(
  ports: ClientPorts,
  state: Advertised,
  question: Uint8Array,
): Promise<{ state: Shared; answer: Uint8Array }> {
  const { crypto } = ports;
  const { parameters, configHash, channel, mask } = state;
  const roster = decodeRoster(configHash, question, parameters.clients);
  const size = roster.members.length;
  const me = checkRoster(state, roster);
  requireEnough(size, Math.max(parameters.minimumSurvivors, parameters.threshold), "clients on the roster");
  checkThreshold(parameters, size, ports.floors);
  const graph = graphOf(parameters.graph, { size, hash: roster.hash, configHash });
  for (const peer of graph.peers(me)) await checkPeer(ports, configHash, roster.members[peer]!);
  spend(state);

  const selfSecret = crypto.randomBytes(32);
  const holders = graph.holders(me);
  const options = { threshold: parameters.threshold, shares: holders.length, randomBytes: crypto.randomBytes };
  const seedShares = split(selfSecret, options);
  const keyShares = split(mask.secretKey, options);
  const channels = new Map<number, ChannelKeys>();
  const envelopes: Uint8Array[] = [];
  let own: DealtShares | undefined;
  for (const [i, holder] of holders.entries()) {
    const { x, value: seedShare } = seedShares[i]!;
    const dealt: DealtShares = { dealer: me, holder, x, seedShare, keyShare: keyShares[i]!.value };
    if (holder === me) {
      own = dealt;
      continue;
    }
    const keys = await channelKeys(crypto, roster, { me, secretKey: channel.secretKey, peer: holder });
    channels.set(holder, keys);
    envelopes.push(sealEnvelope(crypto, keys.boxKey, dealt));
    wipe(dealt.seedShare, dealt.keyShare);
  }
  wipe(channel.secretKey);
  const commitment = commitmentOf(roster.sessionId, me, selfSecret);
  return {
    state: {
      phase: "shared",
      parameters,
      configHash,
      roster: { size, hash: roster.hash, sessionId: roster.sessionId },
      // Copies: a view would keep the whole roster alive.
      maskKeys: new Map(graph.peers(me).map((peer) => [peer, roster.members[peer]!.maskKey.slice()])),
      graph,
      me,
      mask,
      selfSecret,
      own,
      channels,
    },
    answer: encodeShares(roster.sessionId, { commitment, envelopes }),
  };
}

/** This device's index. Every key on the roster must be there once, and this device's own exactly as it sent them. */
function checkRoster({ client, identityKey, channel, mask }: Advertised, { members }: Roster): number {
  const keys = members.flatMap((member) => [member.identityKey, member.channelKey, member.maskKey]);
  if (new Set(keys.map(bytesToHex)).size !== keys.length) refuse("one public key stands there twice");
  const me = members.findIndex((member) => member.client === client);
  const entry = members[me] ?? refuse("this device is not on it");
  const exact =
    equalBytes(entry.identityKey, identityKey) &&
    equalBytes(entry.channelKey, channel.publicKey) &&
    equalBytes(entry.maskKey, mask.publicKey);
  if (!exact) {
    refuse("this device stands there with keys that are not its own");
  }
  return me;
}

async function checkPeer(ports: ClientPorts, configHash: Uint8Array, member: Roster["members"][number]): Promise<void> {
  const { client, identityKey } = member;
  if (!ports.admits(client, identityKey)) refuse(`no authority vouches for the key of ${client}`);
  if (await verifyKeys(ports.crypto, { configHash, client, identityKey }, member)) return;
  throw new ProtocolError("secure_key", `the session keys of ${client} are not signed by its device key`);
}

async function channelKeys(
  crypto: CryptoBackend,
  roster: Roster,
  pair: { me: number; secretKey: Uint8Array; peer: number },
): Promise<ChannelKeys> {
  const { me, peer } = pair;
  const secret = await sharedSecret(crypto, pair.secretKey, roster.members[peer]!.channelKey);
  const info = pairBytes(Math.min(me, peer), Math.max(me, peer));
  const keys = deriveKey({ secret, salt: roster.sessionId, label: "SA1/chan", info, bytes: 64 });
  wipe(secret);
  return { boxKey: keys.slice(0, 32), macKey: keys.slice(32) };
}

function refuse(found: string): never {
  throw new ProtocolError("secure_roster", `the roster is not acceptable: ${found}`);
}

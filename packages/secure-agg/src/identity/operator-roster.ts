import {
  fromBase64,
  ProtocolError,
  parse,
  type RosterMember,
  rosterStatement,
  SignedRoster,
  toBase64,
} from "@tributary/protocol";
import type { CryptoBackend, Signer } from "../crypto/backend.ts";
import { isStrictPublicKey, verifySignature } from "../crypto/strict-keys.ts";

/** The keys that an operator vouches for, in base64. */
export interface OperatorRoster {
  readonly signed: SignedRoster;
  readonly keys: ReadonlySet<string>;
}

/** A roster over these members, in their order, by the operator's key. Throws `roster_refused` for a key it may not hold. */
export async function signRoster(operator: Signer, members: readonly RosterMember[]): Promise<SignedRoster> {
  keysOf(members);
  const signature = await operator.sign(statementOf(members));
  return {
    operatorKey: toBase64(operator.publicKey),
    members: members.map(({ name, publicKey }) => ({ ...(name === undefined ? {} : { name }), publicKey })),
    signature: toBase64(signature),
  };
}

/**
 * The roster, once its signature is checked: under `operatorKey` (base64), or, without one, under the key that it names
 * itself, which proves no more than that it is whole. Throws `roster_refused`.
 */
export async function openRoster(crypto: CryptoBackend, input: unknown, operatorKey?: string): Promise<OperatorRoster> {
  const signed = parse(SignedRoster, input, { what: "roster", code: "roster_refused" });
  if (operatorKey !== undefined && signed.operatorKey !== operatorKey) {
    refuse(`it is signed by ${signed.operatorKey}, the operator's key is ${operatorKey}`);
  }
  const valid = await verifySignature(crypto, {
    publicKey: fromBase64(signed.operatorKey),
    message: statementOf(signed.members),
    signature: fromBase64(signed.signature),
  });
  if (!valid) refuse("the signature does not fit; it was changed after the operator signed it, or cut short");
  return { signed, keys: keysOf(signed.members) };
}

function statementOf(members: readonly RosterMember[]): Uint8Array {
  return rosterStatement(members.map(({ name, publicKey }) => ({ name, publicKey: fromBase64(publicKey) })));
}

function keysOf(members: readonly RosterMember[]): ReadonlySet<string> {
  const keys = new Set<string>();
  for (const { publicKey } of members) {
    if (!isStrictPublicKey(fromBase64(publicKey))) refuse(`${publicKey} is no Ed25519 key that anyone can hold`);
    if (keys.has(publicKey)) refuse(`${publicKey} stands on it twice`);
    keys.add(publicKey);
  }
  return keys;
}

function refuse(found: string): never {
  throw new ProtocolError("roster_refused", `the roster is not acceptable: ${found}`);
}

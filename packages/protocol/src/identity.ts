import Type, { type Static } from "typebox";
import { ClientId } from "./ids.ts";
import { ProtocolRange } from "./version.ts";

const strict = { additionalProperties: false } as const;

// The one base64 text that 32 or 64 bytes have: the bits that the last character has to spare are zero.
const base64Of32 = "^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$";
const base64Of64 = "^[A-Za-z0-9+/]{85}[AQgw]==$";

/** An Ed25519 public key, 32 bytes in base64. */
export const PublicKey = Type.String({ pattern: base64Of32 });
/** An Ed25519 signature, 64 bytes in base64. */
export const Signature = Type.String({ pattern: base64Of64 });
/** 32 random bytes in base64. The coordinator's count once, and for five minutes. */
export const Nonce = Type.String({ pattern: base64Of32 });

/** `GET /v1/identity`: what a device asks the coordinator to sign, so that an old answer proves nothing. */
export const Challenge = Type.Object({ challenge: Nonce }, strict);
export type Challenge = Static<typeof Challenge>;

/** The coordinator proves its key, over `introductionStatement`, and hands out a nonce for one enrolment or login. */
export const Introduction = Type.Object({
  coordinatorKey: PublicKey,
  nonce: Nonce,
  signature: Signature,
  /** The versions that this coordinator understands. */
  protocol: ProtocolRange,
});
export type Introduction = Static<typeof Introduction>;

/** `POST /v1/sessions`: a device that is enrolled asks for a token, by a signature over `loginStatement`. */
export const Login = Type.Object(
  { client: ClientId, protocol: Type.Integer(), nonce: Nonce, proof: Signature },
  strict,
);
export type Login = Static<typeof Login>;

/** A token that opens the device's routes for a while; it takes the place of the one before. Shown once. */
export const Session = Type.Object({ token: Type.String(), expiresInMs: Type.Integer() });
export type Session = Static<typeof Session>;

/** One device that the operator vouches for. */
export const RosterMember = Type.Object(
  { name: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })), publicKey: PublicKey },
  strict,
);
export type RosterMember = Static<typeof RosterMember>;

/** `GET /v1/roster`, and the operator's file: the devices of a federation, signed over `rosterStatement`. */
export const SignedRoster = Type.Object(
  { operatorKey: PublicKey, members: Type.Array(RosterMember, { maxItems: 20_000 }), signature: Signature },
  strict,
);
export type SignedRoster = Static<typeof SignedRoster>;

/** What the coordinator signs to prove its key; each field 32 bytes. */
export function introductionStatement({ challenge, nonce }: { challenge: Uint8Array; nonce: Uint8Array }): Uint8Array {
  return statement("tributary introduction v1", [challenge, nonce]);
}

/** What a device signs to enrol: possession of its key, towards this coordinator, under this name. */
export function enrolmentStatement(to: {
  coordinatorKey: Uint8Array;
  nonce: Uint8Array;
  publicKey: Uint8Array;
  name: string;
}): Uint8Array {
  return statement("tributary enrolment v1", [to.coordinatorKey, to.nonce, to.publicKey, to.name]);
}

/** What an enrolled device signs to log in. */
export function loginStatement(to: { coordinatorKey: Uint8Array; nonce: Uint8Array; client: ClientId }): Uint8Array {
  return statement("tributary login v1", [to.coordinatorKey, to.nonce, to.client]);
}

/** What the operator signs: every member's key and name, in the roster's order; a member without a name has an empty one. */
export function rosterStatement(members: readonly { name?: string | undefined; publicKey: Uint8Array }[]): Uint8Array {
  return statement(
    "tributary roster v1",
    members.flatMap(({ name, publicKey }) => [publicKey, name ?? ""]),
  );
}

/** The label and every field, each after its length (u32, little-endian), so that no two statements share their bytes. */
function statement(label: string, fields: readonly (Uint8Array | string)[]): Uint8Array {
  const encoder = new TextEncoder();
  const parts = [label, ...fields].map((field) => (typeof field === "string" ? encoder.encode(field) : field));
  const bytes = new Uint8Array(parts.reduce((total, part) => total + 4 + part.length, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const part of parts) {
    view.setUint32(at, part.length, true);
    bytes.set(part, at + 4);
    at += 4 + part.length;
  }
  return bytes;
}

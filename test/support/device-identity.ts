import { randomBytes } from "node:crypto";
import {
  type ClientId,
  type Enrolment,
  enrolmentStatement,
  fromBase64,
  type Introduction,
  type Login,
  loginStatement,
  protocolVersion,
  toBase64,
} from "@tributary/protocol";
import { clientIdOf, type Signer, seedSigner } from "@tributary/secure-agg";

/** A device's key that no test has used before. */
export function freshSigner(): Signer {
  return seedSigner(randomBytes(32));
}

/** A challenge that no test has sent before. */
export function freshChallenge(): string {
  return randomBytes(32).toString("base64");
}

/** What a device with this key sends to enrol, rightly proved; `different` goes in before the proof is made. */
export async function enrolmentOf(
  { coordinatorKey, nonce }: Pick<Introduction, "coordinatorKey" | "nonce">,
  signer: Signer,
  different: Partial<Omit<Enrolment, "publicKey" | "nonce" | "proof">> = {},
): Promise<Enrolment> {
  const { publicKey } = signer;
  const described = { name: "by hand", engine: "none", tags: [], protocol: protocolVersion, ...different };
  const to = { coordinatorKey: fromBase64(coordinatorKey), nonce: fromBase64(nonce), publicKey, name: described.name };
  const proof = toBase64(await signer.sign(enrolmentStatement(to)));
  return { ...described, publicKey: toBase64(publicKey), nonce, proof };
}

/** What a device with this key sends to log in as `client`: as itself, unless the test says otherwise. */
export async function loginOf(
  { coordinatorKey, nonce }: Pick<Introduction, "coordinatorKey" | "nonce">,
  signer: Signer,
  client: ClientId = clientIdOf(signer.publicKey),
): Promise<Login> {
  const to = { coordinatorKey: fromBase64(coordinatorKey), nonce: fromBase64(nonce), client };
  return { client, protocol: protocolVersion, nonce, proof: toBase64(await signer.sign(loginStatement(to))) };
}

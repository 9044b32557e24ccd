import {
  commonVersion,
  Enrolled,
  type Enrolment,
  enrolmentStatement,
  fromBase64,
  Introduction,
  introductionStatement,
  type Login,
  loginStatement,
  ProtocolError,
  routes,
  Session,
  toBase64,
  understood,
} from "@tributary/protocol";
import { type CryptoBackend, clientIdOf, type Signer, verifySignature } from "@tributary/secure-agg";
import type { Outbox } from "./outbox.ts";

/** How a device describes itself when it enrols. */
export type Description = Omit<Enrolment, "publicKey" | "protocol" | "nonce" | "proof">;

/**
 * A coordinator that has proved its key, the nonce that it gave for one enrolment or login (both in base64), and the
 * protocol version that it and this device have in common.
 */
export interface Met {
  readonly coordinatorKey: string;
  readonly nonce: string;
  readonly protocol: number;
}

/**
 * Asks the coordinator to prove its key. Throws `coordinator_changed` when it cannot, or when the key is not `known` (in
 * base64; without one, any key will do), and `upgrade_required` for a coordinator that has none, or with which this device
 * has no protocol version in common.
 */
export async function meet(
  outbox: Outbox,
  { crypto, known, signal }: { crypto: CryptoBackend; known: string | undefined; signal: AbortSignal },
): Promise<Met> {
  const challenge = crypto.randomBytes(32);
  const request = { method: "GET", path: routes.identity(toBase64(challenge)), signal } as const;
  const { coordinatorKey, nonce, signature, protocol } = await outbox
    .json(request, Introduction, "introduction")
    .catch((error: unknown) => {
      if (!(error instanceof ProtocolError) || error.code !== "not_found") throw error;
      throw new ProtocolError("upgrade_required", "this coordinator has no key to be known by; upgrade it");
    });
  const proved = await verifySignature(crypto, {
    publicKey: fromBase64(coordinatorKey),
    message: introductionStatement({ challenge, nonce: fromBase64(nonce) }),
    signature: fromBase64(signature),
  });
  const { coordinator } = outbox;
  if (!proved) {
    throw new ProtocolError("coordinator_changed", `${coordinator} does not hold the key ${coordinatorKey} it shows`);
  }
  if (known !== undefined && coordinatorKey !== known) {
    throw new ProtocolError(
      "coordinator_changed",
      `${coordinator} has the key ${coordinatorKey}; this device knows it by ${known}. It is another coordinator, or one ` +
        "that lost its data folder: ask its operator, and give the key that is right with --coordinator-key",
    );
  }
  return { coordinatorKey, nonce, protocol: commonVersion({ device: understood(), coordinator: protocol }) };
}

/** Enrols the key; a repeat by the same key gives the same client a new token. Throws the coordinator's refusal. */
export async function enrol(
  outbox: Outbox,
  device: { signer: Signer; description: Description; signal: AbortSignal },
  { coordinatorKey, nonce, protocol }: Met,
): Promise<Enrolled> {
  const { signer, signal } = device;
  const { capabilities, ...description } = device.description;
  const { publicKey } = signer;
  const statement = enrolmentStatement({
    coordinatorKey: fromBase64(coordinatorKey),
    nonce: fromBase64(nonce),
    publicKey,
    name: description.name,
  });
  const proof = toBase64(await signer.sign(statement));
  // A coordinator of the first version refuses what it does not know.
  const described = capabilities === undefined || protocol < 2 ? description : { ...description, capabilities };
  const json: Enrolment = { ...described, protocol, publicKey: toBase64(publicKey), nonce, proof };
  const about = { kind: "enrolment" };
  const request = { method: "POST", path: routes.clients(), json, signal, about } as const;
  const enrolled = await outbox.json(request, Enrolled, "enrolment");
  const client = clientIdOf(publicKey);
  if (enrolled.client === client) return enrolled;
  throw new ProtocolError("bad_request", `enrolment: this device's key makes it ${client}, not ${enrolled.client}`);
}

/** A new token for a device that is enrolled. Throws `not_found` where it is not, `forbidden` where it was revoked. */
export async function logIn(
  outbox: Outbox,
  device: { signer: Signer; signal: AbortSignal },
  { coordinatorKey, nonce, protocol }: Met,
): Promise<Session> {
  const { signer, signal } = device;
  const client = clientIdOf(signer.publicKey);
  const to = { coordinatorKey: fromBase64(coordinatorKey), nonce: fromBase64(nonce), client };
  const json: Login = { client, protocol, nonce, proof: toBase64(await signer.sign(loginStatement(to))) };
  const about = { kind: "login" };
  return outbox.json({ method: "POST", path: routes.sessions(), json, signal, about }, Session, "login");
}

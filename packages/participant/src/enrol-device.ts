import { type CryptoBackend, portableCrypto } from "@tributary/secure-agg";
import { systemClock } from "./clock.ts";
import { keysInMemory } from "./device-key.ts";
import { Credentials, type CredentialsOptions, type Identity, identityInMemory } from "./identity.ts";
import { Outbox } from "./outbox.ts";
import type { ParticipantOptions } from "./participant.ts";

/** What a device needs to be known to a coordinator. */
type WhoItIs = Pick<
  ParticipantOptions,
  "coordinator" | "name" | "engine" | "tags" | "capabilities" | "joinToken" | "identity" | "keys" | "coordinatorKey"
>;

/**
 * Makes this device known to a coordinator without taking part in anything: what `identity` holds, if it is the key's,
 * or an enrolment. Throws the coordinator's refusal, `coordinator_changed`, or `coordinator_unreachable`.
 */
export function enrolDevice(
  options: WhoItIs & Pick<ParticipantOptions, "fetch" | "crypto" | "ledger"> & { readonly signal?: AbortSignal },
): Promise<Identity> {
  const { coordinator, fetch, ledger, crypto = portableCrypto() } = options;
  const outbox = new Outbox({ coordinator, fetch, ledger, clock: systemClock });
  const signal = options.signal ?? new AbortController().signal;
  return credentialsOf(options, { outbox, crypto, signal, onChange: () => undefined }).current();
}

/** The credentials of a device as its options describe it. */
export function credentialsOf(
  options: WhoItIs,
  ports: Pick<CredentialsOptions, "outbox" | "signal" | "onChange"> & { readonly crypto: CryptoBackend },
): Credentials {
  const { coordinator, name, engine, tags = [], capabilities, joinToken, coordinatorKey } = options;
  const keys = options.keys ?? keysInMemory();
  return new Credentials({
    ...ports,
    store: options.identity ?? identityInMemory(),
    key: () => keys.signerFor(coordinator, name),
    coordinatorKey,
    description: {
      name,
      engine,
      tags: [...tags],
      ...(capabilities === undefined ? {} : { capabilities }),
      ...(joinToken === undefined ? {} : { joinToken }),
    },
  });
}

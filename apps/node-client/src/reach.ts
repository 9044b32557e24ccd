import { platformRandom, retrying, systemClock } from "@tributary/participant";
import { pinnedTls, platformTls, type Transport } from "./tls.ts";

/**
 * The transport to a coordinator. With a fingerprint its certificate is looked at first, again and again while it does
 * not answer: for `connectTimeoutMs`, or forever. `undefined` when the signal came before it answered.
 */
export async function reach(
  coordinator: string,
  fingerprint: string | undefined,
  options: { signal: AbortSignal; connectTimeoutMs?: number; onWait: (reason: string, retryInMs: number) => void },
): Promise<Transport | undefined> {
  if (fingerprint === undefined) return platformTls();
  const { signal, connectTimeoutMs = Number.POSITIVE_INFINITY, onWait } = options;
  try {
    return await retrying(() => pinnedTls(coordinator, fingerprint), {
      clock: systemClock,
      jitter: platformRandom(),
      signal,
      until: systemClock.now() + connectTimeoutMs,
      onWait: (error, retryInMs) => onWait(error.message, retryInMs),
    });
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

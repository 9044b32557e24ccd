import { commonVersion, understood } from "@tributary/protocol";

/**
 * Throws `upgrade_required` for an enrolment or login in a protocol version that this coordinator does not understand. Call
 * it before the schema: an older or newer device should hear which versions there are, not that a field is unknown.
 */
export function checkVersion(body: unknown, coordinator = understood()): void {
  const version = (body as { protocol?: unknown } | null)?.protocol;
  if (typeof version === "number") commonVersion({ device: { from: version, to: version }, coordinator });
}

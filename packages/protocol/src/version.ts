import Type, { type Static } from "typebox";
import { ProtocolError } from "./errors.ts";

/** The version of everything in this package. */
export const protocolVersion = 2;

/** The versions that one side understands, the oldest and the newest of them. */
export const ProtocolRange = Type.Object({ from: Type.Integer(), to: Type.Integer() });
export type ProtocolRange = Static<typeof ProtocolRange>;

/** What a side whose newest version is this one understands: that and the one before, so that neither need be first. */
export function understood(newest: number = protocolVersion): ProtocolRange {
  return { from: Math.max(1, newest - 1), to: newest };
}

/** The newest version that a device and its coordinator both understand. Throws `upgrade_required` with both ranges. */
export function commonVersion(sides: { device: ProtocolRange; coordinator: ProtocolRange }): number {
  const { device, coordinator } = sides;
  const newest = Math.min(device.to, coordinator.to);
  if (newest >= Math.max(device.from, coordinator.from)) return newest;
  throw new ProtocolError(
    "upgrade_required",
    `The coordinator understands ${versionsText(coordinator)}, the device ${versionsText(device)}; ` +
      `upgrade the ${device.to < coordinator.to ? "device" : "coordinator"}.`,
  );
}

/** `protocol version 1`, `protocol versions 1 to 2`. */
function versionsText({ from, to }: ProtocolRange): string {
  return from === to ? `protocol version ${to}` : `protocol versions ${from} to ${to}`;
}

import { commonVersion, protocolVersion, understood } from "@tributary/protocol";
import { expect, test } from "vitest";
import { checkVersion } from "../../apps/coordinator/src/check-version.ts";

test("a side understands its newest version and the one before, and none before the first", () => {
  expect(understood(1)).toEqual({ from: 1, to: 1 });
  expect(understood(5)).toEqual({ from: 4, to: 5 });
  expect(understood().to).toBe(protocolVersion);
});

test("two sides speak the newest version that both understand, whichever of them is older", () => {
  const common = (device: number, coordinator: number) =>
    commonVersion({ device: understood(device), coordinator: understood(coordinator) });
  expect([common(4, 4), common(4, 5), common(5, 4)]).toEqual([4, 4, 4]);
  expect(() => common(3, 5)).toThrow(
    "The coordinator understands protocol versions 4 to 5, the device protocol versions 2 to 3; upgrade the device.",
  );
  expect(() => common(5, 3)).toThrow(/upgrade the coordinator/);
});

test("a coordinator serves one version back and refuses every other with the range", () => {
  const served = understood(5);
  for (const protocol of [4, 5]) checkVersion({ protocol }, served);
  for (const protocol of [0, 3, 6]) {
    expect(() => checkVersion({ protocol }, served)).toThrow(
      expect.objectContaining({ code: "upgrade_required", message: expect.stringContaining("versions 4 to 5") }),
    );
  }
});

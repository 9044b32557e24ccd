import { expect, test } from "vitest";
import { bytes, duration, percent, remaining, seconds } from "../../apps/dashboard/src/format.ts";

test("sizes, times and shares have a unit each and three digits", () => {
  expect([0, 999, 999.6, 1_000, 12_345, 999_499, 999_500, 1_234_567, 123_456_789, 2.5e9].map(bytes)).toEqual([
    ...["0 B", "999 B", "1.00 kB", "1.00 kB", "12.3 kB"],
    ...["999 kB", "1.00 MB", "1.23 MB", "123 MB", "2.50 GB"],
  ]);
  expect([0, 12, 999.6, 1_234, 9_996, 99_960, 119_999, 120_000, 7_140_000, 7_200_000, 4e8].map(duration)).toEqual([
    ...["0 ms", "12 ms", "1.00 s", "1.23 s", "10.0 s", "100 s"],
    ...["120 s", "2.00 min", "119 min", "2.00 h", "111 h"],
  ]);
  expect(seconds(0.245)).toBe("245 ms");
  expect([0, 0.8, 1].map(percent)).toEqual(["0.0 %", "80.0 %", "100.0 %"]);
  expect([1, 1_001, 119_500, 180_000].map(remaining)).toEqual(["1 s", "2 s", "120 s", "3.00 min"]);
});

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { engineReport } from "@tributary/training";
import { expect, test } from "vitest";
import { cli } from "../support/cli-process.ts";
import { lineProcess } from "../support/line-process.ts";

test("the doctor says of every engine what it found: its step and its speed, or what would add it", async () => {
  const { code, lines, stderr } = await cli("doctor", "--json");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(lines[0]).toMatchObject({ type: "machine", node: process.version });
  const engines = lines.filter(({ type }) => type === "engine");
  const report = await engineReport();
  expect(engines.map(({ engine, present }) => [engine, present])).toEqual(
    report.map(({ engine, present }) => [engine, present]),
  );
  for (const found of engines) {
    if (found["present"]) {
      expect(found).toMatchObject({ parity: { agrees: true } });
      const speed = found["speed"] as Record<"2nn" | "cnn", { examplesPerSecond: number }>;
      expect(speed["2nn"].examplesPerSecond).toBeGreaterThan(speed.cnn.examplesPerSecond);
      expect(speed.cnn.examplesPerSecond).toBeGreaterThan(0);
    } else {
      expect(found["why"]).toMatch(/\S/);
      expect(found["needs"]).toMatch(/CUDA 11\.2 and cuDNN 8\.1|Node 20 or older|libvulkan1/);
    }
  }
  expect(lines.at(-1)).toMatchObject({ type: "verdict", passed: expect.arrayContaining(["wasm", "cpu"]) });
});

test("an engine that cannot be used ends the doctor with 1, and the rest is still said", async () => {
  const absent = (await engineReport()).find(({ present }) => !present)!.engine;
  const { code, stdout, stderr } = await cli("doctor", "--engine", absent);
  expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
  expect(stdout).toMatch(new RegExp(`– ${absent} .* is not here: .*\n +to add it: \\S`));
  expect(stdout).toContain(`${absent} cannot be used here.`);
});

test("an engine whose step is wrong is told with the figures and the layers, and its speed is no matter", async () => {
  const { ended, lines } = lineProcess("broken-engine.mjs", "doctor", "--engine", "wasm");
  expect(await ended).toBe(1);
  expect(lines.join("\n")).toMatch(/✗ wasm .* calculates wrongly: a step of .*AveragePooling.* is \d\.\de[+-]\d+ of/);
  expect(lines.join("\n")).not.toContain("examples/s");
});

test("a device does not join with an engine whose step is wrong, and sends nothing", async () => {
  const script = fileURLToPath(new URL("../support/broken-engine.mjs", import.meta.url));
  // No coordinator is there: whoever tried to reach it would say so.
  const args = [script, "join", "--engine", "wasm", "--examples", "10", "--coordinator", "http://127.0.0.1:9"];
  const failed = promisify(execFile)(process.execPath, args);
  await expect(failed).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /^tributary: The engine "wasm" calculates wrongly: a step of .* by \d\.\de[+-]\d+ of its length; .*\n$/,
    ),
  });
});

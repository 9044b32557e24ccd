import { chooseEngine, createTrainer, engineNames, engineReport } from "@tributary/training";
import { describe, expect, test } from "vitest";
import { presetSuite } from "../support/training-preset-suite.ts";
import { randomTable, trainerSuite } from "../support/training-trainer-suite.ts";

for (const { engine, present } of await engineReport()) {
  if (present) {
    describe(engine, () => trainerSuite(engine, "sequence"));
    describe(engine, () => presetSuite(engine));
  }
}
// The one engine that trains a mere sequence of layers by a way of its own.
describe("wasm, a graph", () => trainerSuite("wasm", "graph"));

test("WebAssembly is preferred to plain JavaScript for every model", async () => {
  for (const preset of ["2nn", "cnn"] as const) {
    const { engine, reason } = await chooseEngine({ model: { preset } });
    expect(engine).toBe("wasm");
    expect(reason).toContain("WebAssembly");
  }
  expect((await chooseEngine({ force: "cpu" })).engine).toBe("cpu");
});

test("an engine that does not exist is refused with what there is", async () => {
  await expect(chooseEngine({ force: "abacus" })).rejects.toThrow(
    `There is no engine "abacus". Engines: ${engineNames.join(", ")}.`,
  );
});

test("trainers of two engines can work at the same time", async () => {
  const data = { kind: "table" as const, shape: [5], target: "class" as const, classes: 3 };
  const { signal } = new AbortController();
  const judge = async (engine: "wasm" | "cpu") => {
    const trainer = await createTrainer({ model: { preset: "mlp", hidden: [40] }, data, engine });
    const weights = new Float32Array(trainer.parameters).map((_, i) => Math.sin(i));
    return trainer.evaluate({ weights, data: randomTable(3000), signal });
  };
  const [wasm, cpu] = await Promise.all([judge("wasm"), judge("cpu")]);
  expect(wasm.correct).toBe(cpu.correct);
  expect(wasm.lossSum / cpu.lossSum).toBeCloseTo(1, 5);
});

test("starting WebAssembly leaves the process's own handling of errors alone", async () => {
  await chooseEngine({ force: "wasm" });
  const hooks = ["uncaughtException", "unhandledRejection"].flatMap((event) => process.listeners(event as "exit"));
  expect(hooks.map(String).filter((hook) => /ExitStatus|throw reason/.test(hook))).toEqual([]);
});

import { chooseEngine, createTrainer, engineNames } from "@tributary/training";
import { describe, expect, test } from "vitest";
import { randomTable, trainerSuite } from "../support/training-trainer-suite.ts";

for (const engine of engineNames) describe(engine, () => trainerSuite(engine));

test("WebAssembly is preferred, plain JavaScript takes over where it lacks a gradient", async () => {
  expect(await chooseEngine({ model: { preset: "2nn" } })).toEqual({
    engine: "wasm",
    reason: "TensorFlow.js on WebAssembly",
  });
  expect(await chooseEngine({ model: { preset: "cnn" } })).toEqual({
    engine: "cpu",
    reason: "TensorFlow.js in plain JavaScript; wasm cannot train Conv2D layers",
  });
  expect((await chooseEngine({ force: "cpu" })).engine).toBe("cpu");
});

test("an engine that does not exist or cannot train the model is refused with what there is", async () => {
  await expect(chooseEngine({ force: "abacus" })).rejects.toThrow('There is no engine "abacus". Engines: wasm, cpu.');
  await expect(chooseEngine({ force: "wasm", model: { preset: "cnn" } })).rejects.toThrow(
    'The engine "wasm" cannot train Conv2D layers. Engines: wasm, cpu.',
  );
});

test("trainers of two engines can work at the same time", async () => {
  const data = { kind: "table" as const, shape: [5], classes: 3 };
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

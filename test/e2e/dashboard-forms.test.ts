import { type RunRecord, routes } from "@tributary/protocol";
import { expect } from "vitest";
import { browserTest, openPage } from "../support/browser-chromium.ts";
import { call, createRun, runThat } from "../support/coordinator-calls.ts";
import { HandDevice, tinyJudgement, tinyUpdate } from "../support/coordinator-device.ts";
import { localCoordinator } from "../support/coordinator-local.ts";
import { specOf } from "../support/specs.ts";

browserTest(
  "what is wrong in the form is said at its field as one types, as the coordinator would say it",
  async () => {
    const { url } = await localCoordinator();
    const { page, complaints } = await openPage();
    await page.goto(`${url}/#/new`);
    await page.getByText("The specification is valid.").waitFor();
    const cohort = page.getByRole("group", { name: "Cohort" });
    for (const [label, wrong, said, right] of [
      ["Clients needed at least", "many", 'must be integer, found "many"', "5"],
      ["Clients needed at least", "2", "2 devices hide nothing from one another; take at least", "5"],
      ["Clients needed at least", "11", "11 is more than cohort.size 10", "5"],
      ["Clients a round", "", "give either size or fraction", "10"],
      ["Tags", "a, b, ".repeat(9), "must not have more than 16", ""],
    ] as const) {
      await cohort.getByLabel(label).fill(wrong);
      await cohort.getByText(said).waitFor();
      await cohort.getByLabel(label).fill(right);
      await page.getByText("The specification is valid.").waitFor();
    }
    const rate = page.getByRole("group", { name: "Algorithm" }).getByLabel("Learning rate").first();
    await rate.fill("-1");
    expect(await rate.getAttribute("aria-invalid")).toBe("true");
    const spec = { ...specOf(), algorithm: { name: "fedavg", learningRate: -1 } };
    const { body } = await call(url, `POST ${routes.runs()}`, { json: spec });
    expect(body.detail).toBe("run specification: algorithm.learningRate: must be > 0, found -1");
    await page.getByText("algorithm.learningRate must be > 0, found -1").waitFor();
    await page.getByRole("button", { name: "Create the run" }).click();
    expect((await call<RunRecord[]>(url, `GET ${routes.runs()}`)).body).toEqual([]);

    await page.getByLabel("Architecture").selectOption("mlp");
    await page.getByText("model.hidden missing").waitFor();
    await page.getByLabel("Hidden").fill("20, 10");
    await rate.fill("0.05");
    await page.getByLabel("Name").fill("From the form");
    await page.getByRole("button", { name: "Create the run" }).click();
    await page.getByRole("heading", { name: "From the form" }).waitFor();
    const [run] = (await call<RunRecord[]>(url, `GET ${routes.runs()}`)).body;
    expect(run!.spec).toMatchObject({
      model: { preset: "mlp", hidden: [20, 10] },
      algorithm: { learningRate: 0.05, epochs: 1 },
      cohort: { size: 10, minimum: 5, tags: [] },
    });
    expect(complaints).toEqual([]);
  },
);

browserTest("a pasted specification is checked as it stands, by the page and then by the coordinator", async () => {
  const { url } = await localCoordinator();
  const { page } = await openPage();
  await page.goto(`${url}/#/new`);
  await page.getByText("Specification (JSON)").click();
  const box = page.getByRole("textbox", { name: "RunSpec" });
  const create = page.getByRole("button", { name: "Create the run" });
  for (const [pasted, said] of [
    ["{", "This is not JSON"],
    ["[]", /must be object|missing/],
    [JSON.stringify({ ...specOf(), cohrot: {} }), "unknown field (did you mean cohort?)"],
    [JSON.stringify({ ...specOf(), algorithm: { name: "fedavgg" } }), 'there is no algorithm "fedavgg"'],
  ] as const) {
    await box.fill(pasted);
    await page.locator("#spec-faults").getByText(said).first().waitFor();
    await create.click();
  }
  // The coordinator alone knows which evaluation sets it has.
  const evaluation = { on: "coordinator", data: "nowhere-to-be-found", everyRounds: 1 };
  await box.fill(JSON.stringify({ ...specOf(), evaluation }));
  await page.locator("#spec-faults").getByText("nowhere-to-be-found").waitFor();
  await create.click();
  expect((await call<RunRecord[]>(url, `GET ${routes.runs()}`)).body).toEqual([]);

  await box.fill(JSON.stringify(specOf({ name: "pasted" })));
  await create.click();
  await page.getByRole("heading", { name: "pasted" }).waitFor();
  await page.getByRole("link", { name: "Specification" }).click();
  await page.getByRole("link", { name: "New run from this one" }).click();
  expect(await page.getByLabel("Name").inputValue()).toBe("pasted");
  expect(await page.getByLabel("Secure aggregation").inputValue()).toBe("none");
});

browserTest("runs that are marked are compared; a figure can be chosen; one run alone is not compared", async () => {
  const { url } = await localCoordinator();
  const changes = {
    cohort: { size: 1, minimum: 1, overSelect: 1 },
    evaluation: { on: "clients" },
    stop: { rounds: 1 },
  };
  for (const [name, correct] of [
    ["better", 9],
    ["worse", 4],
  ] as const) {
    const { run } = await createRun(url, specOf({ ...changes, name }));
    const device = await HandDevice.joined(url, run);
    await device.answer(await device.asked(({ kind }) => kind === "train"), tinyUpdate(0.1));
    await device.answer(await device.asked(({ kind }) => kind === "evaluate"), tinyJudgement(10, 1, correct));
    await runThat(url, run, ({ phase }) => phase === "finished");
  }
  const { page, complaints } = await openPage();
  await page.goto(url);
  await page.getByLabel("Mark better for comparison").check();
  expect(await page.getByText("Compare 2 runs").count()).toBe(0);
  await page.getByLabel("Mark worse for comparison").check();
  await page.getByRole("link", { name: "Compare 2 runs" }).click();
  await page.getByRole("row", { name: /^better 90.0 % 90.0 % 1 / }).waitFor();
  await page.getByRole("row", { name: /^worse 40.0 % 40.0 % 1 / }).waitFor();
  await page.getByLabel("Figure").selectOption("Loss");
  await page.getByRole("row", { name: /^worse 0.1000 0.1000 1 / }).waitFor();
  await page.goto(`${url}/#/compare/run-nobody-knows`);
  await page.getByText("Mark two or more runs").waitFor();
  expect(complaints).toEqual([]);
});

browserTest("an address that names nothing says so, and leads back", async () => {
  const { url } = await localCoordinator();
  const { run } = await createRun(url, specOf(), { start: false });
  const { page } = await openPage();
  for (const [place, said] of [
    ["nowhere", "There is nothing at this address."],
    [`runs/${run}/rounds/zero`, "There is nothing at this address."],
    [`runs/${run}/models`, "There is nothing at this address."],
    ["runs/run-00000000", "There is no such run here."],
    ["runs/run-00000000/rounds/1", "There is no such run here."],
  ] as const) {
    await page.goto(`${url}/#/${place}`);
    await page.getByText(said).waitFor();
  }
});

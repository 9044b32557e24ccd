import { type RunRecord, routes } from "@tributary/protocol";
import type { Locator, Page } from "playwright-core";
import { expect } from "vitest";
import { browserTest, openPage, type WatchedPage } from "../support/browser-chromium.ts";
import { call } from "../support/coordinator-calls.ts";
import { localCoordinator } from "../support/coordinator-local.ts";
import { dataFolder as temporaryFolder } from "../support/data-folder.ts";
import { runSpecs } from "../support/run-specs.ts";

const isValid = (page: Page) => page.getByText("The specification is valid.").waitFor();

/** The page where a run is created. */
async function openForm(): Promise<
  WatchedPage & { readonly url: string; readonly groupOf: (name: string) => Locator }
> {
  const { url } = await localCoordinator();
  const opened = await openPage();
  await opened.page.goto(`${url}/#/new`);
  await isValid(opened.page);
  return { ...opened, url, groupOf: (name) => opened.page.getByRole("group", { name, exact: true }) };
}

/** Pastes a specification, then turns to the form. */
async function paste(page: Page, spec: unknown): Promise<void> {
  await page.getByText("Specification (JSON)").click();
  await page.getByRole("textbox", { name: "RunSpec" }).fill(typeof spec === "string" ? spec : JSON.stringify(spec));
  await page.getByText("Form", { exact: true }).click();
}

async function jsonOf(page: Page): Promise<Record<string, unknown>> {
  await page.getByText("Specification (JSON)").click();
  const text = await page.getByRole("textbox", { name: "RunSpec" }).inputValue();
  await page.getByText("Form", { exact: true }).click();
  return JSON.parse(text);
}

browserTest("what a specification can hold can be typed: numbers or words, lines, lists, yes and no", async () => {
  const { page, url, groupOf, complaints } = await openForm();
  for (const size of ["20", "all"]) {
    await groupOf("Algorithm").getByLabel("Batch size").fill(size);
    await isValid(page);
  }
  await groupOf("Algorithm").getByLabel("Batch size").fill("some");
  await page.getByText('algorithm.batchSize must be integer, found "some"').waitFor();

  await paste(page, { ...runSpecs["ridge"], name: "" });
  await groupOf("Algorithm").getByLabel("Intercept").selectOption("no");
  await page.getByLabel("Name", { exact: true }).fill("Ridge");
  await isValid(page);
  expect(await jsonOf(page)).toMatchObject({ algorithm: { intercept: false }, name: "Ridge" });

  await paste(page, runSpecs["kmeans from centres"]);
  await groupOf("First centres").getByLabel("Centres").fill("[[1, 2], [3, 4], [5, 6]]");
  await page.getByText("algorithm.init.centres 3 for 2 clusters").waitFor();
  await groupOf("First centres").getByLabel("Centres").fill("[[1, 2], [3, 4]]");
  await isValid(page);

  await paste(page, runSpecs["bigrams"]);
  await groupOf("Data").getByLabel("Vocabulary").fill("\nabcd");
  await page.getByText("data.classes expected the vocabulary's 5, found 6").waitFor();
  await groupOf("Data").getByLabel("Classes").fill("5");
  await groupOf("Cohort").getByLabel("Tags").pressSequentially("x");
  await page.getByRole("button", { name: "Create the run" }).click();
  await page.getByRole("heading", { name: "Whole" }).waitFor();
  const [run] = (await call<RunRecord[]>(url, `GET ${routes.runs()}`)).body;
  expect(run!.spec).toMatchObject({ data: { vocabulary: "\nabcd", classes: 5 } });
  expect((run!.spec as { cohort: { tags: string[] } }).cohort.tags).toContain("a,b");
  expect(complaints).toEqual([]);
});

browserTest("what nobody chose is not shown as chosen, and what is no choice is shown as it is", async () => {
  const { page, groupOf, complaints } = await openForm();
  await groupOf("Algorithm").getByLabel("Algorithm").selectOption("fedsgd");
  const optimizer = groupOf("Server optimizer").getByLabel("Optimizer");
  expect(await optimizer.inputValue()).toBe("");
  expect(await optimizer.getAttribute("aria-invalid")).toBe("true");
  await groupOf("Server optimizer").getByText("missing").waitFor();
  await optimizer.selectOption("sgd");
  await isValid(page);
  for (const model of ["2nn", 5, null, ["2nn"]]) {
    await paste(page, { ...runSpecs["fedavg"], model });
    expect(await groupOf("Model").getByLabel("Architecture").inputValue()).toBe(JSON.stringify(model));
  }
  await groupOf("Model").getByLabel("Architecture").selectOption("2nn");
  await isValid(page);
  expect(complaints).toEqual([]);
});

browserTest(
  "any algorithm can be chosen, the model comes and goes with it, and what was typed is not lost",
  async () => {
    const { page, groupOf, complaints } = await openForm();
    const algorithm = groupOf("Algorithm");
    const choose = (name: string) => algorithm.getByLabel("Algorithm").selectOption(name);
    await groupOf("Model").getByLabel("Architecture").selectOption("mlp");
    await groupOf("Model").getByLabel("Hidden").fill("20, 10");
    await groupOf("Model").getByLabel("Weights").fill("nothing");
    await groupOf("Model").getByLabel("Architecture").selectOption("2nn");
    expect(await groupOf("Model").getByLabel("Weights").inputValue()).toBe("nothing");
    await groupOf("Model").getByLabel("Weights").fill("");
    await groupOf("Model").getByLabel("Architecture").selectOption("mlp");
    await algorithm.getByLabel("Learning rate").first().fill("0.05");
    await choose("fedprox");
    expect(await algorithm.getByLabel("Learning rate").first().inputValue()).toBe("0.05");
    await algorithm.getByLabel("Pull to the global model").fill("0.5");
    await isValid(page);

    await choose("kmeans");
    expect(await groupOf("Model").count()).toBe(0);
    await algorithm.getByLabel("Clusters").fill("10");
    await isValid(page);
    await choose("fedavg");
    expect(await algorithm.getByLabel("Learning rate").first().inputValue()).toBe("0.05");
    expect(await groupOf("Model").getByLabel("Hidden").inputValue()).toBe("20, 10");
    await isValid(page);

    await paste(page, runSpecs["kmeans"]);
    expect(await groupOf("Model").count()).toBe(0);
    await isValid(page);
    expect(complaints).toEqual([]);
  },
);

const layer = {
  class_name: "Dense",
  config: { name: "out", batch_input_shape: [null, 3], units: 2, activation: "softmax" },
};
const table = { kind: "table", shape: [2], classes: 2 };

browserTest("a specification is called valid once the coordinator would take it, and at its word alone", async () => {
  const { page, url, groupOf, complaints } = await openForm();
  for (const [changes, said] of [
    [{ model: { topology: {} } }, "class_name is missing"],
    [{ model: { preset: "cnn" }, data: table }, 'The preset "cnn" takes images'],
    [{ model: { preset: "char-gru" }, data: table }, 'The preset "char-gru" takes text'],
    [{ model: { preset: "matrix-factorization" }, data: table }, 'The preset "matrix-factorization" takes ratings'],
    [{ model: { preset: "mlp", hidden: [65_536, 65_536] } }, "more than 50000000 weights"],
    [
      { model: { topology: { class_name: "Sequential", config: { layers: [layer] } } }, data: table },
      "The model takes 3 to 2 values",
    ],
    [{ model: { preset: "2nn", weights: "0".repeat(64) } }, "nothing with this SHA-256 was uploaded"],
  ] as const) {
    const spec = { ...runSpecs["fedavg"], ...changes };
    await paste(page, spec);
    await groupOf("Model").getByText(said).waitFor();
    const { body } = await call(url, `POST ${routes.runs()}`, { json: spec });
    expect(body.detail).toContain(said);
  }
  await groupOf("Model").getByLabel("Weights").fill("");
  await isValid(page);
  expect(complaints.filter((complaint) => !complaint.includes("status of 4"))).toEqual([]);
});

browserTest("without the coordinator nothing is called valid; when it is back, it is asked again", async () => {
  const dataFolder = await temporaryFolder();
  const coordinator = await localCoordinator({ dataFolder });
  const { page } = await openPage();
  await page.goto(`${coordinator.url}/#/new`);
  await isValid(page);
  await coordinator.close();
  await page.getByLabel("Name", { exact: true }).fill("Meanwhile");
  await page.getByText("the coordinator has not looked it over").waitFor();
  await localCoordinator({ dataFolder, port: Number(new URL(coordinator.url).port) });
  await isValid(page);
  expect(await page.getByLabel("Name", { exact: true }).inputValue()).toBe("Meanwhile");
});

browserTest("what is folded away stays open while somebody mends a fault in it", async () => {
  const { page, groupOf } = await openForm();
  const seed = page.getByLabel("Seed");
  await page.getByText("More:").click();
  await seed.press("x");
  await page.getByText('seed must be integer, found "x"').waitFor();
  await seed.press("Backspace");
  await seed.press("7");
  await isValid(page);
  expect(await seed.inputValue()).toBe("7");
  expect(await seed.evaluate((field) => field === document.activeElement)).toBe(true);
  // A fault that comes from outside opens it, and the person may close it.
  await page.getByText("More:").click();
  await groupOf("Judging").waitFor({ state: "hidden" });
  await paste(page, { ...runSpecs["fedavg"], seed: "x" });
  await groupOf("Judging").waitFor();
});

browserTest("what is written stays while the page is open, finished or not, until somebody starts over", async () => {
  const { page, url, groupOf, complaints } = await openForm();
  await page.getByLabel("Name", { exact: true }).fill("Half a name");
  await groupOf("Cohort").getByLabel("Clients a round").fill("many");
  await page.getByRole("link", { name: "Clients" }).click();
  await page.getByText("No device has enrolled yet").waitFor();
  await page.getByRole("link", { name: "New run" }).click();
  expect(await page.getByLabel("Name", { exact: true }).inputValue()).toBe("Half a name");
  expect(await groupOf("Cohort").getByLabel("Clients a round").inputValue()).toBe("many");

  const unfinished = '\uFEFF{ "name":   "Unfinished", ';
  await paste(page, unfinished);
  await page.getByText("Your JSON is not finished").waitFor();
  expect(await page.getByLabel("Name", { exact: true }).inputValue()).toBe("Half a name");
  await page.getByText("Specification (JSON)").click();
  const box = page.getByRole("textbox", { name: "RunSpec" });
  expect(await box.inputValue()).toBe(unfinished);
  await page.getByRole("link", { name: "Clients" }).click();
  await page.getByRole("link", { name: "New run" }).click();
  expect(await box.inputValue()).toBe(unfinished);

  await box.fill(`\uFEFF${JSON.stringify({ ...runSpecs["fedavg"], model: { preset: "2nn" } })}`);
  await isValid(page);
  await page.getByText("Form", { exact: true }).click();
  await page.getByLabel("Name", { exact: true }).fill("Finished");
  await page.getByRole("button", { name: "Start over" }).click();
  await page.getByRole("button", { name: "Leave it as it is" }).click();
  await page.getByRole("button", { name: "Create the run" }).click();
  await page.getByRole("heading", { name: "Finished" }).waitFor();
  expect((await call<RunRecord[]>(url, `GET ${routes.runs()}`)).body).toHaveLength(1);

  await page.getByRole("link", { name: "New run" }).click();
  expect(await page.getByLabel("Name", { exact: true }).inputValue()).toBe("Digits");
  await page.getByLabel("Name", { exact: true }).fill("Another");
  await page.getByRole("button", { name: "Start over" }).click();
  await page.getByRole("button", { name: "Give it up" }).click();
  expect(await page.getByLabel("Name", { exact: true }).inputValue()).toBe("Digits");
  expect(complaints).toEqual([]);
});

browserTest("what is wrong is seen at each keystroke, and heard when the typing pauses", async () => {
  const { url } = await localCoordinator();
  const { page } = await openPage();
  await page.clock.install();
  await page.goto(`${url}/#/new`);
  await isValid(page);
  const status = page.locator(".submit [role=status]");
  const heard = (hasText: string) => status.filter({ hasText }).waitFor({ state: "attached" });
  await page.clock.runFor(5_000);
  await heard("The specification is valid.");
  await page.clock.pauseAt(Date.now() + 3_600_000);
  const rounds = page.getByLabel("Rounds", { exact: true });
  await rounds.fill("");
  await page.getByText("stop.rounds missing").waitFor();
  for (const [key, found] of [
    ["a", "a"],
    ["b", "ab"],
    ["c", "abc"],
  ] as const) {
    await page.clock.runFor(500);
    await rounds.press(key);
    await page.getByText(`stop.rounds must be integer, found "${found}"`).waitFor();
    expect(await status.textContent()).toBe("The specification is valid.");
  }
  await page.clock.runFor(2_000);
  await heard('One thing is to be mended: Rounds: must be integer, found "abc"');
});

browserTest(
  "on a phone's width the keyboard alone reaches each field, and none of them is behind the bar",
  async () => {
    const { page, groupOf } = await openForm();
    await page.setViewportSize({ width: 320, height: 700 });
    await groupOf("Cohort").getByLabel("Clients needed at least").fill("many");
    await page.getByText("One thing is to be mended:").waitFor();
    await page.getByLabel("Name", { exact: true }).focus();
    const places: { name: string; isBehind: boolean }[] = [];
    while (places.at(-1)?.name !== "Create the run" && places.length < 100) {
      await page.keyboard.press("Tab");
      places.push(
        await page.evaluate(() => {
          const field = document.activeElement as HTMLInputElement;
          const bar = document.querySelector(".submit")!;
          const [{ top, bottom }, edge] = [field.getBoundingClientRect(), bar.getBoundingClientRect()];
          const isBehind = !bar.contains(field) && bottom > edge.top && top < edge.bottom;
          return { name: field.labels?.[0]?.textContent ?? field.textContent, isBehind };
        }),
      );
    }
    expect(places.filter(({ isBehind }) => isBehind)).toEqual([]);
    expect(places.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["Algorithm", "Batch size", "Architecture", "Shape of an example", "Tags", "Rounds"]),
    );
    expect(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)).toBe(false);
  },
);

/** With data chosen and the engine measured: ready to join. */
async function ready(page, { url }) {
  await page.goto(`${url}/join/`);
  await page.getByRole("radio").first().waitFor();
  await page.getByRole("button", { name: "Draw the digits" }).click();
  await page.getByText("examples ready").waitFor();
  await page.getByText(/^About [\d,.]+ examples a second/).waitFor({ timeout: 60_000 });
}

async function join(page) {
  await page.getByRole("button", { name: "Join", exact: true }).click();
}

/** A run that this browser alone has finished, and its model. */
async function over(page) {
  await join(page);
  await page.getByText("The run is over").waitFor({ timeout: 180_000 });
  await page.getByRole("button", { name: "Fetch the newest model" }).click();
  await page.getByText(/^Version \d+/).waitFor();
}

const rhyme = `${"so much depends upon a red wheel barrow glazed with rain water beside the white chickens\n".repeat(12)}`;
const vocabulary = [...new Set(rhyme)].sort().join("");

/** The contributor's page in each of its states. */
export const joinScenes = [
  {
    name: "join-before",
    async open(page, { url }) {
      await page.goto(`${url}/join/`);
      await page.getByRole("radio").first().waitFor();
    },
  },
  { name: "join-ready", extent: "whole", open: ready },
  {
    name: "join-part",
    extent: "whole",
    async open(page, world) {
      await ready(page, world);
      await join(page);
      await page.getByText("known to this browser since").waitFor();
    },
  },
  {
    name: "join-secure",
    extent: "whole",
    async open(page, world) {
      const cohort = { size: 6, minimum: 4, overSelect: 1, population: 6 };
      const { url, endDevices } = await world.withRun(
        { secureAggregation: "required", cohort, stop: { rounds: 500 } },
        5,
      );
      await ready(page, { url });
      await join(page);
      await page
        .getByText(/Round [6-9]: sent the update, .*, masked/)
        .first()
        .waitFor({ timeout: 120_000 });
      endDevices();
      await page.getByText("Noise: every byte value occurs about equally often").waitFor();
    },
  },
  {
    name: "join-table",
    extent: "whole",
    async open(page, world) {
      const data = { kind: "table", shape: [4], target: "class", classes: 2 };
      const { url } = await world.withRun({ name: "Who comes back within a month", data });
      await page.goto(`${url}/join/`);
      const rows = Array.from({ length: 40 }, (_, i) => {
        const [age, stay, ward] = [31 + ((7 * i) % 52), 1 + (i % 9), ["surgery", "medicine"][i % 2]];
        return `${1000 + i},${age},${stay},${ward},${i % 3 === 0 ? "yes" : "no"}`;
      });
      const buffer = Buffer.from(["patient,age,days,ward,back", ...rows].join("\n"));
      await page.getByLabel("File", { exact: true }).setInputFiles({ name: "ward.csv", mimeType: "text/csv", buffer });
      await page.getByText("Columns (4)").click();
      await page.getByLabel("How to use patient").selectOption("leave out");
      await page.getByLabel("How to use ward").selectOption("category");
      await page.getByRole("button", { name: "Use this table" }).click();
      await page.getByText("40 examples ready").waitFor();
    },
  },
  {
    name: "join-wrong-file",
    extent: "whole",
    async open(page, { url }) {
      await page.goto(`${url}/join/`);
      await page.getByRole("radio", { name: "MNIST files" }).check();
      const buffer = Buffer.from("<html>Not found</html>");
      for (const name of ["Images (", "Labels ("]) {
        await page.getByLabel(name).setInputFiles({ name: "download.html", mimeType: "text/html", buffer });
      }
      await page.getByRole("alert").getByText("begins with").waitFor();
    },
  },
  {
    name: "join-paused",
    extent: "whole",
    async open(page, world) {
      await ready(page, world);
      await join(page);
      await page.getByText("known to this browser since").waitFor();
      await page.getByRole("button", { name: "Pause", exact: true }).click();
      await page.getByRole("button", { name: "Go on", exact: true }).waitFor();
    },
  },
  {
    name: "join-lost",
    extent: "whole",
    async open(page, world) {
      const { url, close } = await world.withRun({ cohort: { size: 2, minimum: 2 } });
      await ready(page, { url });
      await join(page);
      await page.getByText("known to this browser since").waitFor();
      await close();
      await page.getByText("lost").first().waitFor();
    },
  },
  {
    name: "join-after",
    extent: "whole",
    async open(page, world) {
      const { url } = await world.withRun({
        algorithm: { name: "fedavg", epochs: 3, batchSize: 10, learningRate: 0.1 },
      });
      await ready(page, { url });
      await over(page);
      const pad = page.getByRole("application", { name: "A pad to draw a digit on" });
      await pad.scrollIntoViewIfNeeded();
      const { x, y, width, height } = await pad.boundingBox();
      await page.mouse.move(x + width * 0.3, y + height * 0.2);
      await page.mouse.down();
      await page.mouse.move(x + width * 0.7, y + height * 0.2, { steps: 8 });
      await page.mouse.move(x + width * 0.45, y + height * 0.85, { steps: 8 });
      await page.mouse.up();
      await page.getByText(/^The model says: /).waitFor();
    },
  },
  {
    name: "join-after-text",
    extent: "whole",
    async open(page, world) {
      const { url } = await world.withRun({
        name: "Rhymes",
        algorithm: { name: "fedavg", epochs: 3, batchSize: 16, learningRate: 0.5 },
        model: { preset: "char-gru", embedding: 8, units: 32 },
        data: { kind: "text", shape: [12], target: "class", classes: vocabulary.length, vocabulary },
        stop: { rounds: 2 },
      });
      await page.goto(`${url}/join/`);
      const file = { name: "rhyme.txt", mimeType: "text/plain", buffer: Buffer.from(rhyme) };
      await page.getByLabel("Text", { exact: true }).setInputFiles(file);
      await page.getByText("examples ready").waitFor();
      await page.getByText(/^About [\d,.]+ examples a second/).waitFor({ timeout: 60_000 });
      await over(page);
      await page.getByRole("textbox", { name: "Beginning" }).fill("so much depends");
      await page.getByRole("button", { name: "Go on", exact: true }).last().click();
      await page.locator('.answer[aria-busy="false"]').getByText("The model writes:").waitFor({ timeout: 60_000 });
    },
  },
  {
    name: "join-bad-address",
    async open(page, { empty }) {
      await page.goto(`${empty}/join/?coordinator=nowhere`);
      await page.getByText("Something is wrong with this page's address").waitFor();
    },
  },
  {
    name: "join-empty",
    async open(page, { empty }) {
      await page.goto(`${empty}/join/`);
      await page.getByText("No run is open just now").waitFor();
    },
  },
];

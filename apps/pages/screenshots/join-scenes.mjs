/** With data chosen and the engine measured: ready to join. */
async function ready(page, { url }) {
  await page.goto(`${url}/join/`);
  await page.getByRole("radio").first().waitFor();
  await page.getByRole("button", { name: "Draw the digits" }).click();
  await page.getByText("examples ready").waitFor();
  // Without a graphics processor WebGL is emulated, and takes its time to prove itself.
  await page.getByText(/^About [\d,.]+ examples a second/).waitFor({ timeout: 180_000 });
}

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
      await page.getByRole("button", { name: "Join", exact: true }).click();
      await page.getByText("known to this browser since").waitFor();
    },
  },
  {
    name: "join-bad-address",
    async open(page, { empty }) {
      await page.goto(`${empty}/join/?coordinator=nowhere`);
      await page.getByText("names no coordinator").waitFor();
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

/** Opens a place of the operator's page and waits for what shows that it is there. */
const at =
  (place, ready) =>
  async (page, { url, runs }) => {
    await page.goto(`${url}/${place(runs)}`);
    await page.locator(ready).first().waitFor();
    await page.getByText("Live", { exact: true }).waitFor();
  };

/** The operator's page in each of its states. */
export const dashboardScenes = [
  { name: "dashboard-runs", open: at(() => "", ".card.run polyline") },
  { name: "dashboard-run", extent: "whole", open: at((runs) => `#/runs/${runs.secure}`, ".plot canvas") },
  { name: "dashboard-run-plain", extent: "whole", open: at((runs) => `#/runs/${runs.plain}`, ".plot canvas") },
  { name: "dashboard-run-open", open: at((runs) => `#/runs/${runs.open}`, ".now progress") },
  { name: "dashboard-run-created", open: at((runs) => `#/runs/${runs.created}`, ".plot p") },
  { name: "dashboard-rounds", open: at((runs) => `#/runs/${runs.secure}/rounds`, "tbody tr a") },
  { name: "dashboard-devices", open: at((runs) => `#/runs/${runs.waiting}/devices`, ".told") },
  { name: "dashboard-versions", open: at((runs) => `#/runs/${runs.paused}/versions`, "tbody tr button") },
  { name: "dashboard-specification", open: at((runs) => `#/runs/${runs.secure}/specification`, "pre") },
  {
    name: "dashboard-round-secure",
    extent: "whole",
    open: at((runs) => `#/runs/${runs.secure}/rounds/3`, ".track .bar"),
  },
  {
    name: "dashboard-round-straggler",
    extent: "whole",
    open: at((runs) => `#/runs/${runs.straggler}/rounds/3`, ".track .bar"),
  },
  { name: "dashboard-clients", open: at(() => "#/clients", "tbody tr button") },
  {
    name: "dashboard-compare",
    open: at(({ secure, plain, straggler }) => `#/compare/${secure},${plain},${straggler}`, ".plot canvas"),
  },
  { name: "dashboard-new", extent: "whole", open: at(() => "#/new", "legend") },
  {
    name: "dashboard-new-faults",
    async open(page, { url }) {
      await page.goto(`${url}/#/new`);
      await page.getByLabel("Clients needed at least").fill("many");
      await page.getByLabel("Learning rate").first().fill("-1");
      await page.getByText("things are to be mended").waitFor();
    },
  },
  {
    name: "dashboard-stop",
    async open(page, world) {
      await at((runs) => `#/runs/${runs.open}`, "h1")(page, world);
      await page.getByRole("button", { name: "Stop" }).click();
    },
  },
  {
    name: "dashboard-empty",
    async open(page, { empty }) {
      await page.goto(empty);
      await page.getByText("No run yet").waitFor();
    },
  },
  {
    name: "dashboard-key",
    async open(page, { locked }) {
      await page.goto(locked);
      await page.getByLabel("Admin key").waitFor();
    },
  },
  {
    name: "dashboard-offline",
    async open(page, { another }) {
      const { url, close } = await another();
      await page.goto(url);
      await page.getByText("No run yet").waitFor();
      await close();
      await page.getByText("The coordinator does not answer.").waitFor();
    },
  },
];

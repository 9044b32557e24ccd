// npm run screenshots [-- NAME…]: a real coordinator with real runs and devices, and a picture of each scene (or of
// those whose names begin so), light and dark, phone and desktop, in screenshots/. The folder is not kept in git.
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { dashboardScenes } from "./dashboard-scenes.mjs";
import { joinScenes } from "./join-scenes.mjs";
import { startWorld } from "./world.mjs";

const folder = join(import.meta.dirname, "../../../screenshots");
const executablePath = process.env.TRIBUTARY_CHROMIUM ?? "/usr/bin/chromium";
// Without software that plays a graphics processor, which would take a minute to prove itself in each scene.
const args = ["--no-sandbox", "--disable-gpu", "--disable-software-rasterizer"];
const sizes = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 860 } };

const wanted = process.argv.slice(2);
/** A scene: `{ name, open(page, world), extent? }`; "whole" takes the page to its end, not only what fits a screen. */
const scenes = [...dashboardScenes, ...joinScenes].filter(
  ({ name }) => wanted.length === 0 || wanted.some((part) => name.startsWith(part)),
);
if (scenes.length === 0) throw new Error(`no scene is called ${wanted.join(" or ")}`);

await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
const world = await startWorld();
const browser = await chromium.launch({ executablePath, args });
try {
  for (const colorScheme of ["light", "dark"]) {
    for (const [size, viewport] of Object.entries(sizes)) {
      for (const scene of scenes) {
        const context = await browser.newContext({ colorScheme, viewport, ignoreHTTPSErrors: true });
        const page = await context.newPage();
        await scene.open(page, world);
        const path = join(folder, `${scene.name}-${size}-${colorScheme}.png`);
        await page.screenshot({ path, fullPage: scene.extent === "whole", animations: "disabled" });
        await context.close();
      }
    }
  }
} finally {
  await browser.close();
  await world.close();
}
console.log(`${scenes.length * 4} pictures of ${scenes.length} scenes in ${folder}`);

// Runs the tests and ends with the line `N passed, N failed`. --long: the long tests too.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const long = process.argv.includes("--long");
const chromium = process.env.TRIBUTARY_CHROMIUM ?? "/usr/bin/chromium";
const folder = mkdtempSync(join(tmpdir(), "tributary-test-"));
const report = join(folder, "report.json");
const { status } = spawnSync(
  process.execPath,
  ["node_modules/vitest/vitest.mjs", "run", "--reporter=default", "--reporter=json", `--outputFile=${report}`],
  { stdio: "inherit", env: { ...process.env, ...(long ? { TRIBUTARY_LONG: "1" } : {}) } },
);
if (!existsSync(report)) {
  console.error("the test runner ended without a report");
  process.exit(status || 1);
}
const { numPassedTests, numFailedTests, testResults, success } = JSON.parse(readFileSync(report, "utf8"));
rmSync(folder, { recursive: true });

const skipped = testResults.flatMap(({ name, assertionResults }) =>
  assertionResults.filter(({ status }) => status === "pending" || status === "skipped").map((test) => ({ name, test })),
);
const browser = skipped.filter(({ name }) => /browser|dashboard/.test(name));
for (const { test } of skipped) console.log(`SKIPPED ${test.fullName}`);
if (browser.length > 0 && !existsSync(chromium)) {
  console.log(`SKIPPED ${browser.length} browser tests: apt-get install chromium`);
}
// A file that could not even be loaded is a failure that no test of it counts.
const broken = testResults.filter((file) => file.status === "failed" && file.assertionResults.length === 0).length;
console.log(`${numPassedTests} passed, ${numFailedTests + broken} failed`);
process.exit(success && numPassedTests > 0 ? 0 : 1);

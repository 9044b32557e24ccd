import { rm } from "node:fs/promises";
import { join } from "node:path";
import { type RoundRecord, type RunRecord, routes } from "@tributary/protocol";
import { expect } from "vitest";
import { startCli, startCoordinatorProcess } from "../support/cli-process.ts";
import { call, createRun, runThat } from "../support/coordinator-calls.ts";
import { dataFolder } from "../support/data-folder.ts";
import { missingTime, testThatNeeds } from "../support/needs.ts";
import { specOf } from "../support/specs.ts";

const spec = (secureAggregation: "none" | "required") =>
  specOf({
    algorithm: { name: "scaffold", learningRate: 0.1, clients: 3 },
    data: { kind: "images", shape: [28, 28, 1], target: "class", classes: 10 },
    cohort: { size: 3, minimum: 3, overSelect: 1 },
    secureAggregation,
    stop: { rounds: 12 },
  });

const isOver = ({ phase }: RunRecord) => phase === "finished" || phase === "failed";

for (const secureAggregation of ["none", "required"] as const) {
  const form = secureAggregation === "none" ? "in the clear" : "under secure aggregation";
  const name = `variates outlive kill -9 of either side, and a device that lost its own says so, ${form}`;
  testThatNeeds(
    secureAggregation === "none" ? missingTime : undefined,
    name,
    async () => {
      const folder = await dataFolder();
      const identity = join(folder, "devices.json");
      let coordinator = await startCoordinatorProcess(folder, "--port", "0");
      const { url } = coordinator;
      const { run } = await createRun(url, spec(secureAggregation));
      const devices = () => {
        const args = ["--coordinator", url, "--run", run, "--examples", "300", "--shard", "1-3/3"];
        return startCli(["join", "--json", ...args, "--identity", identity]);
      };
      let lent = devices();

      await runThat(url, run, ({ round }) => round >= 3);
      coordinator.process.kill("SIGKILL");
      await coordinator.finished;
      coordinator = await startCoordinatorProcess(folder, "--port", new URL(url).port);
      const { round: restarted } = (await call<RunRecord>(url, `GET ${routes.run(run)}`)).body;
      await runThat(url, run, ({ round }) => round >= restarted + 1);
      lent.process.kill("SIGKILL");
      await lent.finished;
      lent = devices();
      const { round: rejoined } = (await call<RunRecord>(url, `GET ${routes.run(run)}`)).body;
      await runThat(url, run, ({ round }) => round >= rejoined + 1);
      lent.process.kill("SIGKILL");
      await lent.finished;
      const { round: lost } = (await call<RunRecord>(url, `GET ${routes.run(run)}`)).body;
      await rm(`${identity}-kept`, { recursive: true });
      lent = devices();

      expect(await runThat(url, run, isOver)).toMatchObject({ phase: "finished", round: 12 });
      const { body: rounds } = await call<RoundRecord[]>(url, `GET ${routes.rounds(run)}`);
      const lostVariates = rounds.map(({ metrics }) => metrics["lostVariates"]);
      const forgotten = lostVariates.indexOf(3) + 1;
      // Whatever was under way when the devices were killed may have been committed yet.
      expect(forgotten).toBeGreaterThan(lost);
      expect(lostVariates).toEqual(rounds.map(({ round }) => (round === forgotten ? 3 : 0)));
    },
    240_000,
  );
}

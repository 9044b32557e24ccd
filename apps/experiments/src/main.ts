import { parseArgs } from "node:util";
import { experiments, missingData } from "./index.ts";

// npm run experiment -- NAME [--json] [--in-process] [--seed N] | list

const usage = "usage: npm run experiment -- NAME|list [--json] [--in-process] [--seed N]";

const { positionals, values } = parseCommand();
const [name] = positionals;
if (name === undefined || positionals.length !== 1) stop(usage);
if (name === "list") {
  for (const experiment of experiments) {
    if (values.json) console.log(JSON.stringify({ name: experiment.name, summary: experiment.summary }));
    else console.log(`${experiment.name.padEnd(12)} ${experiment.summary}`);
  }
} else await run(name);

async function run(name: string): Promise<void> {
  const experiment = experiments.find((candidate) => candidate.name === name.toLowerCase());
  if (experiment === undefined) stop(`there is no experiment ${name}; npm run experiment -- list names them`);
  const missing = missingData(experiment);
  if (missing.length > 0)
    stop(`${name} needs ${missing.join(", ")}: put the data there, or name its folder in TRIBUTARY_SHARED_DATA`);
  const seed = Number(values.seed ?? 0);
  if (!Number.isSafeInteger(seed) || seed < 0) stop(`--seed ${values.seed}: expected an integer ≥ 0`);
  const say = (line: string) => void process.stderr.write(`${line}\n`);
  const { checks, ...figures } = await experiment.run({ seed, inProcess: values["in-process"] ?? false, say });
  const pass = checks.every((check) => check.pass);
  if (values.json) console.log(JSON.stringify({ experiment: experiment.name, checks, pass, seed, ...figures }));
  else {
    for (const check of checks) {
      console.log(
        `${check.pass ? "pass" : "FAIL"}  ${check.name}: ${check.measured} (${check.tolerance}; expected ${check.expected})`,
      );
    }
    console.log(`${pass ? "passed" : "failed"}: ${figures.rounds} rounds, ${figures.bytesUp} bytes up, seed ${seed}`);
  }
  process.exitCode = pass ? 0 : 1;
}

function parseCommand() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { json: { type: "boolean" }, "in-process": { type: "boolean" }, seed: { type: "string" } },
    });
  } catch (error) {
    return stop(`${(error as Error).message}\n${usage}`);
  }
}

function stop(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}

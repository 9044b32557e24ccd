// Runs the compiled command line with each of the argument lists in argv[2] (JSON), in this one process, and prints what
// each wrote and ended with, one JSON object a line. A process of its own takes two seconds for each.
const { exit } = process;
const write = process.stdout.write.bind(process.stdout);
for (const [turn, args] of JSON.parse(process.argv[2]).entries()) {
  let stdout = "";
  process.stdout.write = (text) => {
    stdout += text;
    return true;
  };
  process.exit = () => undefined;
  process.exitCode = undefined;
  process.argv = [process.argv[0], "tributary", ...args];
  await import(`../../apps/cli/dist/main.js?turn=${turn}`);
  process.stdout.write = write;
  write(`${JSON.stringify({ args, code: process.exitCode, stdout })}\n`);
}
exit(0);

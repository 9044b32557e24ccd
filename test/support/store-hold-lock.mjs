// Takes the lock of the data folder in argv[2], says so, and stays until it is killed; ends with 2 if it is taken.
import { lockDataFolder } from "../../apps/coordinator/dist/store/lock.js";

try {
  await lockDataFolder(process.argv[2]);
  process.stdout.write("locked\n");
  setInterval(() => {}, 60_000);
} catch (error) {
  process.stdout.write(`${error.message}\n`);
  process.exitCode = 2;
}

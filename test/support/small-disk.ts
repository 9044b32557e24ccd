import { spawnSync } from "node:child_process";

/**
 * The command and first arguments that run a shell script with a file system of `mebibytes` mounted on its `$DISK`, or
 * undefined where this user may not mount (Linux with user namespaces is needed).
 */
export function smallDisk(mebibytes: number): ((script: string) => [string, string[]]) | undefined {
  if (process.platform !== "linux") return undefined;
  const mount = `mount -t tmpfs -o size=${mebibytes}m tributary-test "$DISK"`;
  const command = (script: string): [string, string[]] => ["unshare", ["-rm", "sh", "-c", `${mount} && ${script}`]];
  const [program, args] = command("true");
  const tried = spawnSync(program, args, { env: { ...process.env, DISK: "/mnt" }, stdio: "ignore" });
  return tried.status === 0 ? command : undefined;
}

import { EngineMissing } from "./engine-missing.ts";

/**
 * Imports a package that need not be installed. Rejects with `EngineMissing` where it is not; what its own loading throws
 * comes through.
 */
export async function optionalPackage(name: string, version: string): Promise<Record<string, unknown>> {
  try {
    // By a variable, so that no bundler looks for it.
    return (await import(/* @vite-ignore */ name)) as Record<string, unknown>;
  } catch (cause) {
    // Node's words, and those of a bundler's server.
    const absent = /cannot find (package|module)|could not resolve|failed to resolve/i;
    const [line = ""] = String((cause as Error)?.message).split("\n");
    // Another file that is missing is a broken installation, not an absent one.
    if (!absent.test(line) || !line.includes(name)) throw cause;
    throw new EngineMissing(`${name} is not installed`, `npm install ${name}@${version}`, { cause });
  }
}

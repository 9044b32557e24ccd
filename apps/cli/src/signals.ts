/** Resolves at the first SIGINT or SIGTERM. A second one ends the process at once. */
export function untilSignalled(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let signalled = false;
    const take = (signal: NodeJS.Signals) => {
      if (signalled) process.exit(1);
      signalled = true;
      resolve(signal);
    };
    process.on("SIGINT", take);
    process.on("SIGTERM", take);
  });
}

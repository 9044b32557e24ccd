/** How many seconds without an answer mean that none will come; shaders of a slow driver may take some at a time. */
const mostSeconds = 20;

/**
 * Asks something every second whether it still answers, until the function returned is called, and tells once if it has
 * not for 20 of them. Seconds are counted, not measured: those of a sleeping machine or a frozen page do not pass.
 */
export function watchBreath({
  ask,
  onStuck,
}: {
  ask: (onAnswer: () => void) => void;
  onStuck: () => void;
}): () => void {
  let silentSeconds = 0;
  let isAsked = false;
  const timer = setInterval(() => {
    if (!isAsked) {
      isAsked = true;
      silentSeconds = 0;
      ask(() => {
        isAsked = false;
      });
    } else if (++silentSeconds === mostSeconds) {
      clearInterval(timer);
      onStuck();
    }
  }, 1_000);
  return () => clearInterval(timer);
}

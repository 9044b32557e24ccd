declare const setImmediate: ((callback: () => void) => unknown) | undefined;

/** Longest stretch of work after which others get their turn. */
const stretchMs = 30;

/**
 * Lets sockets and pages stay alive beside long arithmetic: call `await breath.due()` between pieces of work. Paces
 * only; no result depends on the clock.
 */
export class Breath {
  #since = performance.now();

  /** Nothing, or a promise that resolves after the event loop has had its turn. */
  due(): Promise<void> | undefined {
    if (performance.now() - this.#since < stretchMs) return undefined;
    return nextTurn().then(() => {
      this.#since = performance.now();
    });
  }
}

/** `setTimeout(0)` waits 4 ms in browsers, and minutes in a hidden tab. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === "function") {
      setImmediate(resolve);
      return;
    }
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}

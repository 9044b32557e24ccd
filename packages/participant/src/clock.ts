/** Time as an argument: a monotonic clock and its alarms. */
export interface Clock {
  /** Milliseconds since the Unix epoch when the clock was made, never going back afterwards. */
  now(): number;
  /** Calls `callback` once after `ms`; the function returned calls that off. */
  setTimeout(callback: () => void, ms: number): () => void;
}

/** The platform's own clock. */
export const systemClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  setTimeout(callback, ms) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

/** A clock whose alarms can all be brought forward: for waits that news can end. */
export interface WakeableClock extends Clock {
  /** Rings every alarm that is set. */
  wake(): void;
}

/** `clock`, wakeable. */
export function wakeable(clock: Clock): WakeableClock {
  const alarms = new Set<() => void>();
  return {
    now: () => clock.now(),
    setTimeout(callback, ms) {
      const ring = () => {
        stop();
        callback();
      };
      const cancel = clock.setTimeout(ring, ms);
      const stop = () => {
        alarms.delete(ring);
        cancel();
      };
      alarms.add(ring);
      return stop;
    },
    wake() {
      for (const ring of [...alarms]) ring();
    },
  };
}

/** Resolves after `ms`; rejects with the signal's reason when that comes first. */
export function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const stop = () => {
      cancel();
      reject(signal.reason);
    };
    const cancel = clock.setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal.addEventListener("abort", stop, { once: true });
  });
}

/** `promise`, unless the signal comes first: then rejects with its reason, and what `promise` does is ignored. */
export function abortable<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

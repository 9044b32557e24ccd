/** A rate limit: gives true while there is a token; tokens come back at `perSecond` up to `burst`. `now` in ms. */
export function tokenBucket(limit: { perSecond: number; burst: number }, now: () => number): () => boolean {
  let tokens = limit.burst;
  let filledAt = now();
  return () => {
    const time = now();
    tokens = Math.min(limit.burst, tokens + ((time - filledAt) * limit.perSecond) / 1000);
    filledAt = time;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
}

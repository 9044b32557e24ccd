import { type Random, randomFrom } from "@tributary/algorithm";

/** A stream from the platform's own generator: what every real device draws from. Takes no seed. */
export function platformRandom(): Random {
  const drawn = new Uint32Array(256);
  let next = drawn.length;
  return randomFrom({
    uint32() {
      if (next === drawn.length) {
        crypto.getRandomValues(drawn);
        next = 0;
      }
      return drawn[next++]!;
    },
  });
}

import type { Random } from "@tributary/algorithm";
import type { DataSpec } from "@tributary/protocol";
import { badData } from "./data/bad-data.ts";
import { outside, placesIn } from "./data/text.ts";

/**
 * Goes on from `beginning` in the characters of `data`, one at a time: each drawn with the probability that `predict` gives
 * its class after the window before it, raised to 1 / `temperature` (below 1: nearer to the likeliest) and normalised. As in
 * training, newlines stand before the first character. Throws `ProtocolError("bad_data")` for a character that the run does
 * not have.
 */
export async function* continueText(options: {
  data: DataSpec;
  predict: (features: Float32Array) => Promise<Float32Array>;
  beginning: string;
  characters: number;
  temperature: number;
  random: Pick<Random, "uniform">;
}): AsyncGenerator<string> {
  const { data, predict, beginning, characters, temperature, random } = options;
  const [window = 0] = data.shape;
  const vocabulary = data.vocabulary ?? badData("The run does not say which characters it has");
  const places = placesIn(vocabulary);
  const alphabet = [...vocabulary];
  const known = Array.from(
    beginning,
    (character, i) => places.get(character) ?? outside(character, vocabulary, `Character ${i + 1}`),
  );
  const before = [...new Array<number>(window).fill(places.get("\n")!), ...known].slice(-window);
  for (let i = 0; i < characters; i++) {
    const next = draw(await predict(Float32Array.from(before)), temperature, random);
    before.push(next);
    before.shift();
    yield alphabet[next]!;
  }
}

function draw(probabilities: Float32Array, temperature: number, random: Pick<Random, "uniform">): number {
  const weights = probabilities.map((share) => share ** (1 / temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (!(total > 0)) throw new Error("the model's answers are no numbers: its training has diverged");
  let left = random.uniform() * total;
  const drawn = weights.findIndex((weight) => {
    left -= weight;
    return left < 0;
  });
  // Rounding may leave a last crumb that no class takes.
  return drawn < 0 ? probabilities.indexOf(Math.max(...probabilities)) : drawn;
}

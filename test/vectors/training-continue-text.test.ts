import { type DataSpec, ProtocolError } from "@tributary/protocol";
import { continueText } from "@tributary/training";
import { expect, test } from "vitest";

const vocabulary = "\nabc";
const data: DataSpec = { kind: "text", shape: [3], target: "class", classes: 4, vocabulary };

/** What a model that makes `probabilities` of each window writes, and the windows that it was shown. */
async function written(options: {
  probabilities: (last: number) => readonly number[];
  beginning: string;
  characters?: number;
  temperature?: number;
  draws?: readonly number[];
}) {
  const { probabilities, beginning, characters = 3, temperature = 1, draws = [0.5] } = options;
  const windows: number[][] = [];
  let drawn = 0;
  let text = "";
  const predict = async (features: Float32Array) => {
    windows.push([...features]);
    return Float32Array.from(probabilities(features.at(-1)!));
  };
  const random = { uniform: () => draws[drawn++ % draws.length]! };
  for await (const character of continueText({ data, predict, beginning, characters, temperature, random })) {
    text += character;
  }
  return { text, windows };
}

const after = (last: number) => [0, 1, 2, 3].map((each) => +(each === (last + 1) % 4));

test("each character is told from the window before it, newlines before the first", async () => {
  const { text, windows } = await written({ probabilities: after, beginning: "a" });
  expect(text).toBe("bc\n");
  expect(windows).toEqual([
    [0, 0, 1],
    [0, 1, 2],
    [1, 2, 3],
  ]);
  const longer = await written({ probabilities: after, beginning: "abcab", characters: 1 });
  expect(longer.windows).toEqual([[3, 1, 2]]);
});

test("a character is drawn with its probability to the power of 1 / temperature", async () => {
  const probabilities = () => [0, 0.2, 0.8, 0];
  const draws = [0.05, 0.19, 0.21, 0.99];
  const drawn = async (temperature: number) =>
    (await written({ probabilities, beginning: "", characters: 4, draws, temperature })).text;
  expect(await drawn(1)).toBe("aabb");
  // .2² : .8² = 1 : 16, so that "a" takes the first 1/17 of the draws.
  expect(await drawn(0.5)).toBe("abbb");
});

test("what rounding leaves over goes to the likeliest character", async () => {
  const { text } = await written({
    probabilities: () => [0.1, 0.2, 0.6, 0.1],
    beginning: "",
    characters: 1,
    draws: [1],
  });
  expect(text).toBe("b");
});

test("a model that has diverged writes nothing and says so", async () => {
  const diverged = written({ probabilities: () => [Number.NaN, Number.NaN, Number.NaN, Number.NaN], beginning: "a" });
  await expect(diverged).rejects.toThrow("its training has diverged");
});

test("a beginning with a character that the run does not have is refused by its place", async () => {
  const refused = written({ probabilities: after, beginning: "abz" });
  await expect(refused).rejects.toBeInstanceOf(ProtocolError);
  await expect(refused).rejects.toThrow('Character 3 is "z", which is not in the vocabulary of 4');
});

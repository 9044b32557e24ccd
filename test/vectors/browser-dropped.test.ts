import { expect, test } from "vitest";
import { chosenFiles } from "../../apps/browser-client/src/dropped-files.ts";
import { labelledImages } from "../../apps/browser-client/src/labelled-images.ts";

/** Files as a folder's input gives them. */
const chosen = (...paths: readonly string[]) =>
  chosenFiles(paths.map((path) => Object.assign(new File([], path.split("/").at(-1)!), { webkitRelativePath: path })));
const labelled = (...paths: readonly string[]) => {
  const { images, leftOut } = labelledImages(chosen(...paths));
  return { images: images.map(({ file, label }) => `${label}: ${file.name}`), leftOut };
};

test("images belong to the class below the folder that was chosen, however deep; others are named", () => {
  const paths = ["cat/a.png", "cat/b.png", "dog/d.HEIC", "dog/nested/c.png", "bird/e.heic", "top.jpg"];
  expect(labelled(...paths.map((path) => `mixed/${path}`))).toEqual({
    images: ["cat: a.png", "cat: b.png", "dog: c.png"],
    leftOut: ["dog/d.HEIC", "bird/e.heic", "top.jpg"],
  });
});

test("hidden files are passed over without a word, but not in a folder whose own name is hidden", () => {
  expect(labelled("pets/.DS_Store", "pets/cat/._a.png", "pets/cat/a.png", "pets/.thumbs/cat/a.png")).toEqual({
    images: ["cat: a.png"],
    leftOut: [],
  });
  expect(labelled(".pets/cat/a.png").images).toEqual(["cat: a.png"]);
});

test("a folder that holds nothing but images is a class, and so are several that were dropped", () => {
  expect(labelled("cat/a.png", "cat/notes.txt")).toEqual({ images: ["cat: a.png"], leftOut: ["cat/notes.txt"] });
  expect(labelled("cat/a.png", "dog/nested/b.png")).toEqual({ images: ["cat: a.png", "dog: b.png"], leftOut: [] });
});

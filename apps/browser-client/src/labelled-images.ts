import type { PlacedFile } from "./dropped-files.ts";
import type { LabelledFile } from "./training/messages.ts";

/**
 * The images of a folder whose folders are the classes, each with its class, however deep it lies in it; or of folders that
 * are the classes themselves, where several were dropped, or one that holds nothing but images. `leftOut`: the paths of all
 * others, from the classes' folders on: what browsers do not read, and images beside those folders.
 */
export function labelledImages(files: readonly PlacedFile[]): {
  readonly images: readonly LabelledFile[];
  readonly leftOut: readonly string[];
} {
  const images = files.filter(isImage);
  const [root] = files[0]?.folders ?? [];
  const hasRoot = root !== undefined && files.every(({ folders }) => folders[0] === root);
  const depth = hasRoot && images.some(({ folders }) => folders.length > 1) ? 1 : 0;
  const isUsed = (placed: PlacedFile) => isImage(placed) && placed.folders.length > depth;
  return {
    images: files.filter(isUsed).map(({ file, folders }) => ({ file, label: folders[depth]! })),
    leftOut: files
      .filter((placed) => !isUsed(placed))
      .map(({ file, folders }) => [...folders.slice(depth), file.name].join("/")),
  };
}

export function isImage({ file }: PlacedFile): boolean {
  return /\.(png|jpe?g|gif|webp|bmp|avif)$/i.test(file.name);
}

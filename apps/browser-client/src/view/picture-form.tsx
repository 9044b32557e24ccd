import { words } from "../words.ts";

/** A picture to show the model; it is read in the worker. */
export function PictureForm({ shape, onPicked }: { shape: readonly number[]; onPicked: (file: File) => void }) {
  const { pictureFile, pictureHint } = words.model;
  const [height = 0, width = 0] = shape;
  return (
    <label class="field">
      <span>{pictureFile}</span>
      <input
        type="file"
        accept="image/*"
        aria-describedby="picture-hint"
        onChange={(event) => {
          const [file] = event.currentTarget.files ?? [];
          if (file !== undefined) onPicked(file);
        }}
      />
      <small id="picture-hint" class="hint">
        {pictureHint(height, width)}
      </small>
    </label>
  );
}

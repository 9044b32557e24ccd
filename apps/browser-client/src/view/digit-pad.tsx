import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { digitImage } from "../digit-image.ts";
import { words } from "../words.ts";

const side = 140;
/** The keyboard's pen stands in the middle of one of so many rows and columns. */
const cells = 13;
const moves: Readonly<Record<string, readonly [columns: number, rows: number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

interface Point {
  readonly x: number;
  readonly y: number;
}

interface Cell {
  readonly column: number;
  readonly row: number;
}

const middleOf = ({ column, row }: Cell): Point => ({
  x: ((column - 0.5) * side) / cells,
  y: ((row - 0.5) * side) / cells,
});
const within = (cell: number) => Math.max(1, Math.min(cells, cell));

/** A pad to draw a digit on, with pointer or keyboard; each stroke's end, or key's, gives the picture as 28 × 28 values. */
export function DigitPad({ onDrawn, onCleared }: { onDrawn: (image: Float32Array) => void; onCleared: () => void }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const last = useRef<Point | undefined>(undefined);
  const pen = useSignal({ column: 7, row: 7, down: false });
  const said = useSignal("");
  const context = () => canvas.current!.getContext("2d", { willReadFrequently: true })!;
  const place = (event: PointerEvent): Point => {
    const box = canvas.current!.getBoundingClientRect();
    return {
      x: ((event.clientX - box.left) * side) / box.width,
      y: ((event.clientY - box.top) * side) / box.height,
    };
  };
  const line = (from: Point, to: Point) => {
    const brush = context();
    Object.assign(brush, { lineWidth: 11, lineCap: "round", lineJoin: "round", strokeStyle: "#000" });
    brush.beginPath();
    brush.moveTo(from.x, from.y);
    brush.lineTo(to.x, to.y);
    brush.stroke();
  };
  const draw = (event: PointerEvent) => {
    if (last.current === undefined) return;
    const to = place(event);
    line(last.current, to);
    last.current = to;
  };
  const give = () => {
    const { data } = context().getImageData(0, 0, side, side);
    onDrawn(
      digitImage(
        Float32Array.from({ length: side * side }, (_, i) => data[4 * i + 3]! / 255),
        side,
      ),
    );
  };
  const end = () => {
    if (last.current === undefined) return;
    last.current = undefined;
    give();
  };
  const press = (event: KeyboardEvent) => {
    const move = moves[event.key];
    if (move === undefined && event.key !== " ") return;
    event.preventDefault();
    const from = pen.value;
    const [columns, rows] = move ?? [0, 0];
    const to = {
      column: within(from.column + columns),
      row: within(from.row + rows),
      down: move === undefined ? !from.down : from.down,
    };
    pen.value = to;
    said.value = words.model.pen(to.down, to.row, to.column, cells);
    if (!to.down) return;
    line(middleOf(from), middleOf(to));
    give();
  };
  const clear = () => {
    context().clearRect(0, 0, side, side);
    pen.value = { ...pen.value, down: false };
    said.value = words.model.cleared;
    onCleared();
  };
  const { x, y } = middleOf(pen.value);
  return (
    <>
      <div class="pad">
        <div class="paper">
          {/* biome-ignore lint/a11y/noInteractiveElementToNoninteractiveRole: its keys are its own, which the role says */}
          <canvas
            ref={canvas}
            width={side}
            height={side}
            role="application"
            tabIndex={0}
            aria-label={words.model.pad}
            aria-describedby="pad-keys"
            onKeyDown={press}
            onPointerDown={(event) => {
              event.currentTarget.setPointerCapture(event.pointerId);
              last.current = place(event);
              draw(event);
            }}
            onPointerMove={draw}
            onPointerUp={end}
            onPointerCancel={end}
          />
          <span
            class={pen.value.down ? "pen down" : "pen"}
            style={{ left: `${(100 * x) / side}%`, top: `${(100 * y) / side}%` }}
          />
        </div>
        <button type="button" class="secondary" onClick={clear}>
          {words.model.clear}
        </button>
      </div>
      <p id="pad-keys" class="hint">
        {words.model.padKeys}
      </p>
      <p class="unseen" role="status">
        {said.value}
      </p>
    </>
  );
}

import { useEffect, useRef } from "preact/hooks";
import { evenness, type Portrait } from "../ledger/portrait.ts";
import { words } from "../words.ts";

const [width, height] = [128, 32];
const bars = 64;

/** The bytes of an answer as they left: a grey dot each, and how often each value occurs. */
export function Noise({ portrait, title }: { portrait: Portrait; title: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context) return;
    const image = context.createImageData(width, height);
    for (let i = 0; i < width * height; i++) {
      const shade = portrait.head[i];
      image.data.set(shade === undefined ? [0, 0, 0, 0] : [shade, shade, shade, 255], 4 * i);
    }
    context.putImageData(image, 0, 0);
  }, [portrait]);
  const { chiSquare, noise } = evenness(portrait);
  const counts = Array.from({ length: bars }, (_, bar) =>
    portrait.counts.subarray((bar * 256) / bars, ((bar + 1) * 256) / bars).reduce((sum, count) => sum + count, 0),
  );
  const most = Math.max(...counts);
  const text = noise ? words.ledger.noise(chiSquare) : words.ledger.notNoise(chiSquare);
  return (
    <figure class="noise">
      <figcaption>
        <strong>{title}</strong>
      </figcaption>
      <canvas ref={canvas} width={width} height={height} role="img" aria-label={words.ledger.dots} />
      <svg viewBox={`0 0 ${bars} 20`} preserveAspectRatio="none" role="img" aria-label={words.ledger.histogram}>
        {counts.map((count, bar) => (
          <rect key={bar} x={bar + 0.1} width={0.8} y={20 - (20 * count) / most} height={(20 * count) / most} />
        ))}
      </svg>
      <p class="hint">{text}</p>
    </figure>
  );
}

/**
 * Which of the rounds after `after` up to `newest` stand for all of them, ascending, at most `points`: the first and the
 * newest, then those that were judged (`judged`, ascending), then others in between. A curve of what is judged every k
 * rounds then loses no point before there are more of these than `points`.
 */
export function thinned(
  range: { readonly after: number; readonly newest: number; readonly points: number },
  judged: readonly number[],
): number[] {
  const { after, newest, points } = range;
  const all = Array.from({ length: Math.max(0, newest - after) }, (_, index) => after + 1 + index);
  if (all.length <= points) return all;
  const ends = points < 2 ? [newest] : [after + 1, newest];
  const wanted = judged.filter((round) => round > after && round <= newest && !ends.includes(round));
  const kept = spread(wanted, points - ends.length);
  const known = new Set([...ends, ...wanted]);
  const others = all.filter((round) => !known.has(round));
  return [...ends, ...kept, ...spread(others, points - ends.length - kept.length)].sort((a, b) => a - b);
}

/** Some of the items, at most `count`, evenly chosen, the last among them. */
function spread(items: readonly number[], count: number): number[] {
  if (items.length <= count) return [...items];
  return Array.from({ length: count }, (_, index) => items[Math.floor(((index + 1) * items.length) / count) - 1]!);
}

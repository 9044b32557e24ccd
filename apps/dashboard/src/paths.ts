import { routes } from "@tributary/protocol";

// Parts of long histories, as the views ask for them.

export const curvePoints = 1_000;
export const sketchPoints = 60;
/** A run's figures as curves need them: of a long run so many rounds. */
export const historyPath = (run: string) => `${routes.history(run)}?points=${curvePoints}`;
export const sketchPath = (run: string) => `${routes.history(run)}?points=${sketchPoints}`;

const pageRounds = 200;
/** The page of a run's rounds that a round is on, none of them left out. */
export function pagePath(run: string, round: number): string {
  const after = pageRounds * Math.floor((round - 1) / pageRounds);
  return `${routes.history(run)}?after=${after}&before=${after + pageRounds + 1}&points=${pageRounds}`;
}

/** The pages that hold a run's rounds from `first` to `last`, which are fewer than a page. */
export function pagePaths(run: string, first: number, last: number): string[] {
  return last < first ? [] : [...new Set([pagePath(run, last), pagePath(run, first)])];
}

export const pageAttempts = 20;
/** The pages that hold a round's attempts from `from` on and before `before`. */
export function attemptPaths(run: string, round: number, { from, before }: { from: number; before: number }): string[] {
  const pages: string[] = [];
  for (let page = Math.floor((before - 2) / pageAttempts); (page + 1) * pageAttempts >= from; page--) {
    pages.push(`${routes.timeline(run, round)}?before=${(page + 1) * pageAttempts + 1}&limit=${pageAttempts}`);
  }
  return pages;
}

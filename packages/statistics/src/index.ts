export { bigrams } from "./bigrams/index.ts";
export { checkBounds } from "./bounds.ts";
export { edgesOf, Grid, gridFaults, rangeOf } from "./grid.ts";
export { histograms } from "./histogram.ts";
export { ridge } from "./ridge/index.ts";
export { statistics } from "./summary/index.ts";

// Opens the data named by the argument and reads batches at random; prints what was read and what that took, as JSON.
import { seededRandom } from "@tributary/algorithm";
import { openData } from "@tributary/training/node";

const { dataset, data, labels, describe } = await openData({ source: process.argv[2] });
const random = seededRandom(1, "positions");
const width = data.shape.reduce((product, size) => product * size, 1);
const [features, targets] = [new Float64Array(10 * width), new Float64Array(10)];
const rows = [];
let mostBytes = 0;
for (let batch = 0; batch < 200; batch++) {
  const positions = Uint32Array.from({ length: 10 }, () => random.below(dataset.examples));
  await dataset.batch(positions, features, targets);
  positions.forEach((position, i) => {
    rows.push([position, ...features.subarray(i * width, (i + 1) * width), targets[i]]);
  });
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  mostBytes = Math.max(mostBytes, heapUsed + arrayBuffers);
}
console.log(JSON.stringify({ data, describe, labels: labels?.length, rows, mostBytes, examples: dataset.examples }));

/** The mean squared error of `outputs`, one for each target; its gradient by the outputs goes into `gradient`. */
export function squaredLoss(outputs: Float32Array, targets: ArrayLike<number>, gradient: Float32Array): number {
  let sum = 0;
  for (let row = 0; row < targets.length; row++) {
    const difference = outputs[row]! - targets[row]!;
    sum += difference * difference;
    gradient[row] = (2 * difference) / targets.length;
  }
  return sum / targets.length;
}

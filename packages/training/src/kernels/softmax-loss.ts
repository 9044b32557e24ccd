/**
 * The mean cross-entropy of softmax(logits) with `labels`, in double precision; its gradient by the logits goes into
 * `gradient`, where there is one. Never by way of the logarithm of a softmax that may have become 0.
 */
export function softmaxLoss(logits: Float32Array, labels: ArrayLike<number>, gradient: Float32Array): number {
  const classes = logits.length / labels.length;
  let lossSum = 0;
  for (let row = 0, from = 0; row < labels.length; row++, from += classes) {
    let most = Number.NEGATIVE_INFINITY;
    for (let i = from; i < from + classes; i++) most = Math.max(most, logits[i]!);
    let norm = 0;
    for (let i = from; i < from + classes; i++) norm += Math.exp(logits[i]! - most);
    const label = from + labels[row]!;
    lossSum += Math.log(norm) + most - logits[label]!;
    const scale = 1 / (norm * labels.length);
    for (let i = from; i < from + classes; i++) gradient[i] = Math.exp(logits[i]! - most) * scale;
    gradient[label]! -= 1 / labels.length;
  }
  return lossSum / labels.length;
}

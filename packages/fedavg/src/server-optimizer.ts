/**
 * Steps a model along the cohort's mean update Δ: m ← βm + Δ; w ← w + ηm (Reddi et al. 2021, algorithm 1 with SGD and
 * momentum; β = 0, η = 1 is plain averaging). New arrays; the arguments are not changed. Without momentum, m stays empty.
 */
export function stepModel(
  state: { readonly model: Float32Array; readonly momentum: Float64Array },
  update: Float64Array,
  options: { readonly learningRate: number; readonly momentum: number },
): { model: Float32Array; momentum: Float64Array } {
  const { learningRate, momentum: beta } = options;
  const model = new Float32Array(state.model.length);
  if (beta === 0) {
    for (let i = 0; i < model.length; i++) model[i] = state.model[i]! + learningRate * update[i]!;
    return { model, momentum: state.momentum };
  }
  const momentum = new Float64Array(model.length);
  for (let i = 0; i < model.length; i++) {
    momentum[i] = beta * (state.momentum[i] ?? 0) + update[i]!;
    model[i] = state.model[i]! + learningRate * momentum[i]!;
  }
  return { model, momentum };
}

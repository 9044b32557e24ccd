// One device's arithmetic. Compiled to WebAssembly by the workspace's build:wasm, never by tsc. All functions work on
// addresses in the one memory that the module is given, so that it can share the TensorFlow.js backend's; it has no
// data of its own there. Floats are 32 bits, matrices rows without gaps, images batch × height × width × channels.
export { convolutionScratch, convolve, convolveInput, convolveKernel } from "./convolution";
export { depthwiseInput, depthwiseKernel } from "./depthwise";
export { addColumnSums, addScaled, rectifierGradient, rectify } from "./elementwise";
export { addOuter, product, productScratch } from "./matmul";
export { averagePoolGradient, maxPool, maxPoolGradient } from "./pooling";

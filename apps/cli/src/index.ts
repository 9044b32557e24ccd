// What a program that drives `tributary` processes needs; the command itself is main.ts.
export { type Child, type Line, startChild } from "./child.ts";
export { type DemoFlags, demoExamples, demoSpec } from "./demo.ts";
export { Rest } from "./rest.ts";
export { type RunNews, watchRun } from "./watch.ts";

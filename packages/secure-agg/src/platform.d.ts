// The few web-platform names this package uses; browsers, Node and workers all have them.
declare namespace WebAssembly {
  interface Memory {
    readonly buffer: ArrayBuffer;
  }
  class Module {
    constructor(bytes: Uint8Array);
  }
  class Instance {
    readonly exports: unknown;
    constructor(module: Module, imports?: object);
  }
  function instantiate(bytes: Uint8Array, imports?: object): Promise<{ readonly instance: Instance }>;
  function validate(bytes: Uint8Array): boolean;
}
declare function atob(base64: string): string;
declare function btoa(binary: string): string;

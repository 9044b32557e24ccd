// The few web-platform names this package uses; browsers, Node and workers all have them.
declare function atob(base64: string): string;
declare function btoa(binary: string): string;
declare class TextEncoder {
  encode(text: string): Uint8Array;
}

import { deflateSync } from "node:zlib";

/** A PNG of 8-bit grey values, row after row (ISO/IEC 15948, without filters). */
export function greyPng(width: number, height: number, pixels: Uint8Array): Buffer {
  return png(width, height, { pixels, colourType: 0, channels: 1 });
}

/** A PNG of red, green, blue and alpha, 8 bits each. */
export function clearPng(width: number, height: number, pixels: Uint8Array): Buffer {
  return png(width, height, { pixels, colourType: 6, channels: 4 });
}

function png(
  width: number,
  height: number,
  { pixels, colourType, channels }: { pixels: Uint8Array; colourType: number; channels: number },
): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  header[9] = colourType;
  const row = width * channels;
  const rows = Array.from({ length: height }, (_, y) => [0, ...pixels.subarray(y * row, (y + 1) * row)]).flat();
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(Buffer.from(rows))),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(checksum(body));
  return Buffer.concat([length, body, check]);
}

/** CRC-32 as PNG has it; node:zlib's own came with Node 22. */
function checksum(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

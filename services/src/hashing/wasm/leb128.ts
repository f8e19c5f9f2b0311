/** An unsigned integer in LEB128. Source: WebAssembly core specification §5.2.2. */
export function unsignedLeb128(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return bytes;
}

/** A signed integer in LEB128: what constants and the addresses of data are written in. */
export function signedLeb128(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  // The last byte's bit 6 is the sign.
  while (rest < -0x40 || rest >= 0x40) {
    const low = ((rest % 0x80) + 0x80) % 0x80;
    bytes.push(low | 0x80);
    rest = (rest - low) / 0x80;
  }
  bytes.push(((rest % 0x80) + 0x80) % 0x80);
  return bytes;
}

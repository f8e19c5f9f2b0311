/** Types of values. Source: WebAssembly core specification §5.3. */
export const VALUE_TYPES = { i32: 0x7f, i64: 0x7e, v128: 0x7b } as const;

export type ValueType = keyof typeof VALUE_TYPES;

/** The instructions that the kernels are made of. Source: WebAssembly core specification §5.4, vectors §5.4.8. */
export const OPCODES = {
  loop: [0x03],
  end: [0x0b],
  br_if: [0x0d],
  'local.get': [0x20],
  'local.set': [0x21],
  'local.tee': [0x22],
  'i32.const': [0x41],
  'i32.lt_u': [0x49],
  'i32.add': [0x6a],
  'i32.sub': [0x6b],
  'i64.load': [0x29],
  'i64.const': [0x42],
  'i64.add': [0x7c],
  'i64.and': [0x83],
  'i64.xor': [0x85],
  'i64.shr_u': [0x88],
  'i64.rotr': [0x8a],
  'v128.load': [0xfd, 0x00],
  'v128.load64_splat': [0xfd, 0x0a],
  'v128.store': [0xfd, 0x0b],
  'v128.and': [0xfd, 0x4e],
  'v128.xor': [0xfd, 0x51],
  'i8x16.shuffle': [0xfd, 0x0d],
  'i64x2.splat': [0xfd, 0x12],
  'i64x2.extract_lane': [0xfd, 0x1d],
  'i64x2.replace_lane': [0xfd, 0x1e],
  'i64x2.shl': [0xfd, 0xcb, 0x01],
  'i64x2.shr_u': [0xfd, 0xcd, 0x01],
  'i64x2.add': [0xfd, 0xce, 0x01],
} as const;

/** Powers of two: the alignment that each access to memory has here. */
export const MEMORY_ALIGNMENT = {
  'i64.load': 3,
  'v128.load': 4,
  'v128.load64_splat': 3,
  'v128.store': 4,
} as const;

export type MemoryOp = keyof typeof MEMORY_ALIGNMENT;
export type PlainOp = Exclude<keyof typeof OPCODES, MemoryOp>;

import type { Emitter } from './emitter.ts';
import { signedLeb128, unsignedLeb128 } from './leb128.ts';
import { OPCODES, VALUE_TYPES } from './opcodes.ts';

type Bytes = readonly number[] | Uint8Array;

/** A function from one i32 to nothing. */
export interface ModuleFunction {
  readonly name: string;
  readonly code: Emitter;
}

export interface ModuleParts {
  readonly functions: readonly ModuleFunction[];
  /** Bytes that stand in memory from the start. */
  readonly data: { readonly address: number; readonly bytes: Bytes };
}

/** Section numbers. Source: WebAssembly core specification §5.5.2. */
const SECTION = { type: 1, function: 3, memory: 5, export: 7, code: 10, data: 11 } as const;

const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const FUNCTION_TYPE = 0x60;
const EXPORT_KIND = { function: 0, memory: 2 } as const;

/** A WebAssembly module with one page (64 KiB) of memory, exported as `memory`, and its functions, by their names. */
export function encodeModule({ functions, data }: ModuleParts): Uint8Array<ArrayBuffer> {
  const exports = [
    join(text('memory'), [EXPORT_KIND.memory, 0]),
    ...functions.map(({ name }, i) => join(text(name), [EXPORT_KIND.function, i])),
  ];
  const address = [...OPCODES['i32.const'], ...signedLeb128(data.address), ...OPCODES.end];
  return join(
    HEADER,
    section(SECTION.type, [[FUNCTION_TYPE, 1, VALUE_TYPES.i32, 0]]),
    section(SECTION.function, Array<Bytes>(functions.length).fill([0])),
    section(SECTION.memory, [[0, 1]]),
    section(SECTION.export, exports),
    section(
      SECTION.code,
      functions.map(({ code }) => sized(code.body())),
    ),
    section(SECTION.data, [join([0], address, sized(data.bytes))]),
  );
}

function section(id: number, items: readonly Bytes[]): Uint8Array {
  return join([id], sized(join(unsignedLeb128(items.length), ...items)));
}

function sized(bytes: Bytes): Uint8Array {
  return join(unsignedLeb128(bytes.length), bytes);
}

function text(value: string): Uint8Array {
  return sized(Buffer.from(value, 'utf8'));
}

function join(...parts: readonly Bytes[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let end = 0;
  for (const part of parts) {
    joined.set(part, end);
    end += part.length;
  }
  return joined;
}

import { expect, test } from '@jest/globals';
import { Emitter } from './emitter.ts';
import { encodeModule } from './module.ts';

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  triple(times: number): void;
  clear(unused: number): void;
}

interface Api {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: object };
}

/** Three times the two words at address 16, as often as the parameter says; and a function that clears them. */
function build(): Exports {
  const [TIMES, ADDRESS] = [0, 16];
  const triple = new Emitter(1);
  const sum = triple.local('v128');
  const [single, unused] = triple.locals('v128', 2);
  triple.i32(0);
  triple.memory('v128.load', ADDRESS);
  triple.set(sum);
  triple.loop(() => {
    triple.get(sum);
    triple.set(single!);
    for (let i = 0; i < 2; i++) {
      triple.get(sum);
      triple.get(single!);
      triple.op('i64x2.add');
      triple.tee(sum);
      triple.set(unused!);
    }
    triple.get(TIMES);
    triple.i32(-1);
    triple.op('i32.add');
    triple.tee(TIMES);
  });
  triple.i32(0);
  triple.get(sum);
  triple.memory('v128.store', ADDRESS);

  const clear = new Emitter(1);
  clear.i32(ADDRESS);
  clear.i64(0);
  clear.op('i64x2.splat');
  clear.memory('v128.store', 0);

  const functions = [
    { name: 'triple', code: triple },
    { name: 'clear', code: clear },
  ];
  // More than 127 bytes, so that lengths take more than one byte.
  const bytes = new Uint8Array(300).fill(9);
  bytes.set(new Uint8Array(BigUint64Array.of(5n, 1n << 40n).buffer));
  const api = (globalThis as unknown as { WebAssembly: Api }).WebAssembly;
  return new api.Instance(new api.Module(encodeModule({ functions, data: { address: ADDRESS, bytes } })))
    .exports as Exports;
}

test('a module that was written here runs, with its data, loops, locals and functions', () => {
  const { memory, triple, clear } = build();
  const words = new BigUint64Array(memory.buffer, 16, 3);
  const after = BigInt('0x0909090909090909');
  expect([...words]).toEqual([5n, 1n << 40n, after]);
  triple(4);
  expect([...words]).toEqual([5n * 81n, 81n << 40n, after]);
  clear(0);
  expect([...words]).toEqual([0n, 0n, after]);
});

test('memory is one page', () => {
  expect(build().memory.buffer.byteLength).toBe(65_536);
});

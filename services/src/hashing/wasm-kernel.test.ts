import { expect, test } from '@jest/globals';
import { describeKernel } from './kernel-conformance.ts';
import { createWasmKernel, wasmRuns } from './wasm-kernel.ts';

describeKernel(
  'the WebAssembly kernel',
  () => (wasmRuns() ? createWasmKernel() : null),
  'no WebAssembly here',
);

test('it is named after what it is, and has two lanes', () => {
  expect(createWasmKernel()).toMatchObject({ name: 'wasm', lanes: 2 });
});

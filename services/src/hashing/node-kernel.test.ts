import { expect, test } from '@jest/globals';
import { describeKernel } from './kernel-conformance.ts';
import { createNodeKernel } from './node-kernel.ts';

describeKernel('the node:crypto kernel', createNodeKernel);

test('it is named after what it is, and has one lane', () => {
  expect(createNodeKernel()).toMatchObject({ name: 'node', lanes: 1 });
});

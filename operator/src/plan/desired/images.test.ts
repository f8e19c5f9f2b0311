import { describe, expect, test } from '@jest/globals';
import type { ClusterSpecInput } from '../../api/spec.ts';
import { serverImage, serviceImage, withTag } from './images.ts';
import { contextOf } from './testing.ts';

function live(image: string, from: 'spec' | 'operator') {
  return {
    ...{ apiVersion: 'apps/v1', kind: 'Deployment' },
    metadata: { name: 'hc-endpoint', annotations: { 'hashcluster.io/image-from': from } },
    spec: { template: { spec: { containers: [{ image }] } } },
  };
}

describe('the image', () => {
  test.each<[string, ClusterSpecInput, object[], string]>([
    ['of a new cluster is the operator’s', {}, [], 'hashcluster:1'],
    [
      'of a cluster stays when the operator’s changes',
      {},
      [live('hashcluster:0', 'operator')],
      'hashcluster:0',
    ],
    [
      'is the operator’s again when the spec names none any more',
      {},
      [live('other:9', 'spec')],
      'hashcluster:1',
    ],
    ['is that of the spec', { version: '5' }, [live('hashcluster:0', 'operator')], 'hashcluster:5'],
  ])('%s', (_, spec, children, image) => {
    expect(serviceImage(contextOf(spec, { children: children as never })).image).toBe(image);
  });

  test('of a server may be another', () => {
    const context = contextOf({ mongodb: { managed: { image: 'my/mongo:6' } } });
    expect(serverImage(context, 'mongodb')).toEqual({ image: 'my/mongo:6', from: 'spec' });
    expect(serverImage(context, 'kafka')).toEqual({ image: 'apache/kafka:4.3.1', from: 'operator' });
  });

  test.each([
    ['a:1', 'a:2'],
    ['a', 'a:2'],
    ['registry:5000/a', 'registry:5000/a:2'],
    ['registry:5000/a:1@sha256:00', 'registry:5000/a:2'],
  ])('%s has a version as %s', (image, tagged) => {
    expect(withTag(image, '2')).toBe(tagged);
  });
});

import { GROUP, KIND, PLURAL, VERSION } from './hash-cluster.ts';
import { CLUSTER_SPEC } from './spec.ts';
import { CLUSTER_STATUS } from './status.ts';
import { structuralOf, type Schema } from './structural.ts';

interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'date';
  readonly jsonPath: string;
  readonly description: string;
  /** 1: only with `-o wide`. */
  readonly priority?: 1;
}

const condition = (type: string, field: string) => `.status.conditions[?(@.type=="${type}")].${field}`;

/** What `kubectl get hashclusters` shows. */
const COLUMNS: readonly Column[] = [
  {
    ...{ name: 'Ready', type: 'string', jsonPath: condition('Ready', 'status') },
    description: 'Whether the cluster is as it should be and takes jobs.',
  },
  {
    ...{ name: 'Reason', type: 'string', jsonPath: condition('Ready', 'reason') },
    description: 'Why it is ready or not.',
  },
  {
    ...{ name: 'Observed', type: 'date', jsonPath: '.status.observedAt' },
    description:
      'How long ago the operator last looked: more than a few minutes mean that no operator works.',
  },
  {
    ...{ name: 'Endpoints', type: 'integer', jsonPath: '.status.endpoint.ready' },
    description: 'Endpoints that are ready.',
  },
  {
    ...{ name: 'Workers', type: 'integer', jsonPath: '.status.worker.ready' },
    description: 'Workers that are ready.',
  },
  {
    ...{ name: 'Backlog', type: 'number', jsonPath: '.status.backlog.seconds' },
    description: 'Seconds of work that wait.',
  },
  { name: 'URL', type: 'string', jsonPath: '.status.url', description: 'Where the service is reached.' },
  {
    ...{ name: 'Store', type: 'string', jsonPath: condition('StoreReady', 'reason'), priority: 1 },
    description: 'How MongoDB is.',
  },
  {
    ...{ name: 'Bus', type: 'string', jsonPath: condition('BusReady', 'reason'), priority: 1 },
    description: 'How Kafka is.',
  },
  {
    ...{ name: 'Image', type: 'string', jsonPath: '.status.version', priority: 1 },
    description: 'What endpoints and workers run.',
  },
  {
    ...{ name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    description: 'How long it has been there.',
  },
];

function schema(): Schema {
  return {
    description: 'Iterated SHA-512 as a service: endpoints, workers, and the MongoDB and Kafka between them.',
    type: 'object',
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: {
        type: 'object',
        // Names of children must fit into labels, and into host names of pods.
        properties: { name: { type: 'string', maxLength: 40, pattern: '^[a-z]([-a-z0-9]*[a-z0-9])?$' } },
      },
      spec: structuralOf(CLUSTER_SPEC),
      status: structuralOf(CLUSTER_STATUS),
    },
  };
}

/** The CustomResourceDefinition of HashCluster. */
export function customResourceDefinition(): Schema {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${PLURAL}.${GROUP}`, labels: { 'app.kubernetes.io/name': 'hashcluster' } },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: {
        ...{ kind: KIND, listKind: `${KIND}List`, plural: PLURAL, singular: 'hashcluster' },
        shortNames: ['hc'],
        categories: ['all', 'hashcluster'],
      },
      versions: [
        {
          ...{ name: VERSION, served: true, storage: true },
          additionalPrinterColumns: COLUMNS,
          schema: { openAPIV3Schema: schema() },
          subresources: {
            status: {},
            // `kubectl scale` says how many workers there are at least; scaling goes on above that.
            scale: {
              specReplicasPath: '.spec.worker.replicas.min',
              statusReplicasPath: '.status.worker.replicas',
              labelSelectorPath: '.status.worker.selector',
            },
          },
        },
      ],
    },
  };
}

import type { KubeObject } from '../kube.ts';
import type { Component } from '../observed.ts';
import { childMeta, type Context } from './context.ts';
import { selectorOf } from './names.ts';

/** Servers lose one at a time, or their majority; workers give their jobs back when they go, so a quarter may. */
const MAX_UNAVAILABLE: Readonly<Record<Component, number | string>> = {
  endpoint: 1,
  worker: '25%',
  mongodb: 1,
  kafka: 1,
};

/** How many pods of a part may be gone on purpose. One that is not ready anyway may always go. */
export function disruptionBudget(context: Context, component: Component): KubeObject {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: childMeta(context, component),
    spec: {
      maxUnavailable: MAX_UNAVAILABLE[component],
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
      selector: { matchLabels: selectorOf(context.cluster, component) },
    },
  };
}

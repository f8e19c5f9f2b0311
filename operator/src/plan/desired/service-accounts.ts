import type { KubeObject } from '../kube.ts';
import type { Component } from '../observed.ts';
import { childMeta, type Context } from './context.ts';

/** Who a part's pods are. They have nothing to ask of the API server, so they get no token. */
export function serviceAccount(context: Context, component: Component): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: childMeta(context, component),
    automountServiceAccountToken: false,
  };
}

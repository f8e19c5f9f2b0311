import type { KubeObject } from '../kube.ts';
import type { Component } from '../observed.ts';
import type { Context } from './context.ts';
import { disruptionBudget } from './disruption-budgets.ts';
import { httpRoute, ingress } from './ingress.ts';
import { kafkaConfigMap } from './kafka.ts';
import { mongoConfigMap } from './mongodb.ts';
import { networkPolicy } from './network-policies.ts';
import { serviceAccount } from './service-accounts.ts';
import { endpointService, headlessService } from './services.ts';

/** The parts that this cluster has. */
export function componentsOf({ cluster }: Context): Component[] {
  const { mongodb, kafka } = cluster.spec;
  return [
    ...(mongodb.managed ? (['mongodb'] as const) : []),
    ...(kafka.managed ? (['kafka'] as const) : []),
    ...(['endpoint', 'worker'] as const),
  ];
}

/** Everything around the pods, in the order in which it is applied: walls before what they protect. */
export function surroundings(context: Context): KubeObject[] {
  const { spec } = context.cluster;
  const components = componentsOf(context);
  const each = (make: (context: Context, component: Component) => KubeObject) =>
    components.map((component) => make(context, component));
  const routes = [ingress(context), httpRoute(context)];
  const identity = spec.mongodb.managed ? mongoConfigMap(context) : null;
  return [
    ...(spec.networkPolicy.enabled ? each(networkPolicy) : []),
    ...each(serviceAccount),
    ...(spec.mongodb.managed ? [headlessService(context, 'mongodb')] : []),
    ...(identity ? [identity] : []),
    ...(spec.kafka.managed ? [headlessService(context, 'kafka'), kafkaConfigMap(context)] : []),
    endpointService(context),
    ...each(disruptionBudget),
    ...routes.filter((route) => route !== null),
  ];
}

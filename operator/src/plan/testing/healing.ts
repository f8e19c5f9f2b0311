import { planHealing } from '../healing/plan-healing.ts';
import type { Action } from '../action.ts';
import type { Pod } from '../kube.ts';
import { deployment, scene, type SceneOptions } from './scene.ts';

/** A plan in short words: `worker-0 Unready not due`, `worker BackingOff`. */
export interface HealingWords {
  readonly actions: readonly Action[];
  readonly ill: readonly string[];
  readonly evicted: readonly string[];
  readonly held: readonly string[];
}

/** What is planned for pods, of a Deployment that asks for as many workers as there are. */
export function planFor(all: readonly Pod[], more: SceneOptions = {}): HealingWords {
  const count = all.filter(
    ({ metadata }) => metadata.labels?.['app.kubernetes.io/component'] === 'worker',
  ).length;
  const children = [deployment('worker', count)];
  const { patients, holds, actions } = planHealing(scene({ children, pods: all, ...more }));
  return {
    actions,
    ill: patients.map(
      ({ pod: { metadata }, illness, isDue }) => `${metadata.name} ${illness}${isDue ? '' : ' not due'}`,
    ),
    evicted: actions
      .filter(({ kind }) => kind === 'evict')
      .map((action) => (action.kind === 'evict' ? action.ref.name : '')),
    held: holds.map(({ component, reason }) => `${component} ${reason}`),
  };
}

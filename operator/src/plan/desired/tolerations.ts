/** A toleration of a pod, as Kubernetes writes it. */
export type Toleration = Readonly<Record<string, unknown>>;

/** Of a node that nobody hears any more. Source: Kubernetes, "Taints and Tolerations", taint based evictions. */
const LOST = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];

/**
 * Pods without data of their own are made again elsewhere this long after their node is lost. Left to itself Kubernetes
 * waits for 300 s, which is right for pods that would have to move data.
 */
const LOST_SECONDS = 30;

/** Tolerations of pods that may go anywhere: the user's, and a short wait for lost nodes unless the user says otherwise. */
export function tolerationsOfStateless(given: readonly Toleration[]): Toleration[] {
  // A toleration without a key is one of everything; of several that match, the shortest time counts.
  const isDecided = (key: string) => given.some((each) => each['key'] === undefined || each['key'] === key);
  const ours = LOST.filter((key) => !isDecided(key)).map((key) => {
    return { key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: LOST_SECONDS };
  });
  return [...given, ...ours];
}

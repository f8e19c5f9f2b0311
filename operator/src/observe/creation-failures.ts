import { collectionPath } from '../control/resources.ts';
import type { Transport } from '../control/transport.ts';
import type { KubeObject } from '../plan/kube.ts';
import { timeOf } from '../plan/pods.ts';

/** Source: Kubernetes API, `core/v1 Event`: what is read of it. */
interface CoreEvent extends KubeObject {
  readonly message?: string;
  readonly involvedObject?: { readonly uid?: string };
  /** RFC 3339. */
  readonly lastTimestamp?: string | null;
  readonly eventTime?: string | null;
}

/** Why pods of a workload could not be created. */
export interface CreationFailure {
  readonly message: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

const KIND = { apiVersion: 'v1', kind: 'Event' };
/** The API server keeps Events for an hour; equal ones are one Event with a count. */
const LIMIT = 100;

/**
 * Why pods of a StatefulSet could not be created: its status does not say, as that of a ReplicaSet does, so the newest
 * Event of its controller is read. Null: there is none.
 */
export async function readCreationFailure(
  transport: Transport,
  { metadata: { namespace, uid } }: KubeObject,
): Promise<CreationFailure | null> {
  const { items = [] } = await transport.request<{ items?: readonly CoreEvent[] }>({
    method: 'GET',
    path: collectionPath(KIND, namespace),
    query: { fieldSelector: `involvedObject.uid=${uid},reason=FailedCreate`, limit: LIMIT },
    again: 'refused',
  });
  const failures = items
    .filter(({ involvedObject }) => involvedObject?.uid === uid)
    .map((event) => ({ message: event.message ?? 'no reason given', at: timeOfEvent(event) }))
    .toSorted((a, b) => b.at - a.at);
  return failures[0] ?? null;
}

function timeOfEvent({ lastTimestamp, eventTime, metadata }: CoreEvent): number {
  return timeOf(lastTimestamp ?? eventTime ?? metadata.creationTimestamp) ?? 0;
}

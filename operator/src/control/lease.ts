import type { KubeObject } from '../plan/kube.ts';
import { isConflict, isNotFound } from './errors.ts';
import { collectionPath, type Named, objectPath } from './resources.ts';
import type { Transport } from './transport.ts';

/** Source: Kubernetes API, `coordination.k8s.io/v1 LeaseSpec`. */
export interface LeaseSpec {
  /** Empty: nobody. */
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  /** RFC 3339 with microseconds. */
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}

export interface Lease extends KubeObject {
  readonly spec?: LeaseSpec;
}

export interface LeaseName {
  readonly namespace: string;
  readonly name: string;
}

/** RFC 3339 with microseconds, as the API's MicroTime wants it. */
export function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}

/** Reads and writes one Lease, each attempt once: whoever calls has a loop of its own. */
export class LeaseClient {
  readonly #transport: Transport;
  readonly #named: Named & LeaseName;

  constructor(transport: Transport, { namespace, name }: LeaseName) {
    this.#transport = transport;
    this.#named = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace, name };
  }

  /** Null: there is none. */
  async read(timeoutMs: number): Promise<Lease | null> {
    try {
      const path = objectPath(this.#named);
      return await this.#transport.request<Lease>({ method: 'GET', path, timeoutMs, again: 'never' });
    } catch (error) {
      if (isNotFound(error)) return null;
      throw error;
    }
  }

  /** Writes the spec over what was read. Null: somebody else was faster. */
  async write(spec: LeaseSpec, old: Lease | null, timeoutMs: number): Promise<Lease | null> {
    const { apiVersion, kind, namespace, name } = this.#named;
    const body = old ? { ...old, spec } : { apiVersion, kind, metadata: { namespace, name }, spec };
    const path = old ? objectPath(this.#named) : collectionPath(this.#named, namespace);
    const method = old ? 'PUT' : 'POST';
    try {
      return await this.#transport.request<Lease>({ method, path, body, timeoutMs, again: 'never' });
    } catch (error) {
      if (isConflict(error) || isNotFound(error)) return null;
      throw error;
    }
  }
}

import { API_VERSION, KIND, PLURAL, type HashCluster } from '../api/hash-cluster.ts';
import { ApiError, isConflict } from '../control/errors.ts';
import type { Transport } from '../control/transport.ts';

const NAMESPACES = '/api/v1/namespaces';
const MAX_TRIES = 20;

/** HashClusters of one namespace, as people handle them: fields that do not exist are refused, as kubectl asks for. */
export class HashClusters {
  readonly #transport: Transport;
  readonly namespace: string;

  constructor(transport: Transport, namespace: string) {
    this.#transport = transport;
    this.namespace = namespace;
  }

  async makeNamespace(): Promise<void> {
    const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: this.namespace } };
    await this.#transport.request({ method: 'POST', path: NAMESPACES, body });
  }

  create(name: string, spec?: unknown, more: Readonly<Record<string, unknown>> = {}): Promise<HashCluster> {
    const body = {
      apiVersion: API_VERSION,
      kind: KIND,
      metadata: { name },
      ...(spec !== undefined && { spec }),
      ...more,
    };
    return this.#transport.request({
      method: 'POST',
      path: this.#path(),
      query: { fieldValidation: 'Strict' },
      body,
    });
  }

  get(name: string): Promise<HashCluster> {
    return this.#transport.request({ method: 'GET', path: this.#path(name) });
  }

  /** A merge patch of `spec`. */
  patch(name: string, spec: unknown): Promise<HashCluster> {
    return this.#transport.request({
      ...{ method: 'PATCH', path: this.#path(name), body: { spec }, query: { fieldValidation: 'Strict' } },
      contentType: 'application/merge-patch+json',
    });
  }

  /** Whatever was there becomes this. */
  async replace(name: string, spec: unknown): Promise<HashCluster> {
    for (let tries = 0; ; tries++) {
      const { metadata } = await this.get(name);
      const body = { apiVersion: API_VERSION, kind: KIND, metadata, spec };
      const query = { fieldValidation: 'Strict' };
      try {
        return await this.#transport.request({ method: 'PUT', path: this.#path(name), body, query });
      } catch (error) {
        // The operator may have written the status meanwhile.
        if (!isConflict(error) || tries === MAX_TRIES) throw error;
      }
    }
  }

  async all(): Promise<readonly HashCluster[]> {
    const { items } = await this.#transport.request<{ readonly items: readonly HashCluster[] }>({
      ...{ method: 'GET', path: this.#path() },
    });
    return items;
  }

  async annotate(name: string, annotations: Readonly<Record<string, string>>): Promise<void> {
    await this.#transport.request({
      ...{ method: 'PATCH', path: this.#path(name), body: { metadata: { annotations } } },
      contentType: 'application/merge-patch+json',
    });
  }

  async remove(name: string): Promise<void> {
    await this.#transport.request({ method: 'DELETE', path: this.#path(name) });
  }

  #path(name?: string): string {
    const all = `/apis/${API_VERSION}/namespaces/${this.namespace}/${PLURAL}`;
    return name === undefined ? all : `${all}/${name}`;
  }
}

/** What the API server says against something; null: nothing. */
export async function refusal(request: Promise<unknown>): Promise<string | null> {
  try {
    await request;
    return null;
  } catch (error) {
    if (error instanceof ApiError) return error.message;
    throw error;
  }
}

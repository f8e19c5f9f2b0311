import type { KubeObject } from '../../plan/kube.ts';
import { merge, type ObjectStore } from './object-store.ts';

export interface ParsedRequest {
  readonly method: string;
  readonly path: string;
  /** `/api/v1/pods`: without namespace and name. */
  readonly collection: string;
  readonly query: URLSearchParams;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
  readonly body: unknown;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** Everything but a watch. */
export function answerOne(store: ObjectStore, request: ParsedRequest): Answer {
  const { method, name, collection, namespace } = request;
  if (name === undefined) return method === 'POST' ? create(store, request) : list(store, request);
  const key = `${namespace ?? ''}/${name}`;
  const old = store.get(collection, key);
  if (method === 'PATCH' && request.subresource === undefined) return patch(store, request, old);
  if (!old) return status(404, 'NotFound', `${name} not found`);
  if (request.subresource !== undefined) return subresource(store, request, old);
  if (method === 'PUT') return replace(store, request, old);
  return method === 'DELETE' ? remove(store, request, old) : { status: 200, body: old };
}

function status(code: number, reason: string, message: string): Answer {
  return { status: code, body: { kind: 'Status', status: 'Failure', code, reason, message } };
}

function list(store: ObjectStore, { collection, namespace, query }: ParsedRequest): Answer {
  const labels = (query.get('labelSelector') ?? '').split(',').filter(Boolean);
  const matching = store.list(collection).filter(({ metadata }) => {
    if (namespace !== undefined && metadata.namespace !== namespace) return false;
    return labels.every((term) => {
      const [name = '', value] = term.split('=');
      const own = metadata.labels?.[name];
      return value === undefined ? own !== undefined : own === value;
    });
  });
  const from = Number(query.get('continue') ?? 0);
  const to = from + Number(query.get('limit') ?? Infinity);
  const more = to < matching.length ? { continue: String(to) } : {};
  // Real items of a list say neither their kind nor their version.
  const items = matching.slice(from, to).map(({ apiVersion: _v, kind: _k, ...rest }) => rest);
  return { status: 200, body: { metadata: { resourceVersion: String(store.rv), ...more }, items } };
}

function create(store: ObjectStore, { collection, namespace, body }: ParsedRequest): Answer {
  const object = body as KubeObject;
  const key = `${namespace ?? ''}/${object.metadata.name}`;
  if (store.get(collection, key)) return status(409, 'AlreadyExists', `${key} already exists`);
  return { status: 201, body: store.put(collection, object) };
}

function replace(store: ObjectStore, { collection, body }: ParsedRequest, old: KubeObject): Answer {
  const object = body as KubeObject;
  const { resourceVersion } = object.metadata;
  if (resourceVersion !== undefined && resourceVersion !== old.metadata.resourceVersion) {
    return status(409, 'Conflict', 'the object has been modified');
  }
  return { status: 200, body: store.put(collection, object) };
}

function patch(store: ObjectStore, request: ParsedRequest, old: KubeObject | undefined): Answer {
  const { collection, body, namespace, name } = request;
  if (!old && !request.query.has('fieldManager')) return status(404, 'NotFound', 'not found');
  if (request.query.has('force') && !isAsExpected(body as KubeObject, old)) {
    return status(409, 'Conflict', 'the object has been modified');
  }
  const merged = merge(old, body) as KubeObject;
  const metadata = { ...merged.metadata, name: name!, ...(namespace !== undefined && { namespace }) };
  return { status: old ? 200 : 201, body: store.put(collection, { ...merged, metadata }) };
}

/** The preconditions of server-side apply. A resource version that there is no object for creates one. */
function isAsExpected(
  { metadata: { uid, resourceVersion } }: KubeObject,
  old: KubeObject | undefined,
): boolean {
  if (uid !== undefined && uid !== old?.metadata.uid) return false;
  return resourceVersion === undefined || !old || resourceVersion === old.metadata.resourceVersion;
}

function remove(store: ObjectStore, { collection, body }: ParsedRequest, old: KubeObject): Answer {
  const { preconditions } = (body ?? {}) as { preconditions?: { uid?: string } };
  if (preconditions?.uid !== undefined && preconditions.uid !== old.metadata.uid) {
    return status(409, 'Conflict', 'the uid differs');
  }
  store.remove(collection, `${old.metadata.namespace ?? ''}/${old.metadata.name}`);
  return { status: 200, body: { kind: 'Status', status: 'Success' } };
}

function subresource(store: ObjectStore, request: ParsedRequest, old: KubeObject): Answer {
  const { collection, body } = request;
  if (request.subresource === 'eviction') {
    const options = (body as { deleteOptions?: unknown }).deleteOptions;
    return { ...remove(store, { ...request, body: options }, old) };
  }
  if (request.subresource === 'scale') {
    const { spec } = body as { spec: { replicas: number } };
    return { status: 200, body: store.put(collection, merge(old, { spec }) as KubeObject) };
  }
  const { status: own } = body as { status: unknown };
  return { status: 200, body: store.put(collection, { ...old, status: own }) };
}

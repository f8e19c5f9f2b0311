import type { KubeObject } from '../plan/kube.ts';
import { collectionPath, type Kind } from './resources.ts';
import type { Query, Transport } from './transport.ts';

/** Which objects. */
export interface Selection {
  readonly kind: Kind;
  /** Undefined: all namespaces. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
}

interface RawList {
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items?: readonly KubeObject[];
}

/** One page of a list. */
export interface Page {
  readonly items: readonly KubeObject[];
  /** From where a watch goes on. */
  readonly resourceVersion: string;
}

/** The query of a selection. */
export function queryOf({ labelSelector }: Selection): Query {
  return { labelSelector };
}

/** The objects page by page, all of one moment, so that no answer is large. Items are given the kind they lack. */
export async function* listPages(
  transport: Transport,
  selection: Selection,
  { limit, signal }: { readonly limit: number; readonly signal: AbortSignal },
): AsyncGenerator<Page> {
  const { kind, namespace } = selection;
  let next: string | undefined;
  do {
    const { metadata = {}, items = [] } = await transport.request<RawList>({
      method: 'GET',
      path: collectionPath(kind, namespace),
      query: { ...queryOf(selection), limit, continue: next },
      signal,
    });
    yield {
      items: items.map((item) => ({ ...item, apiVersion: kind.apiVersion, kind: kind.kind })),
      resourceVersion: metadata.resourceVersion ?? '',
    };
    next = metadata.continue || undefined;
  } while (next !== undefined);
}

import { ApiError } from '../control/errors.ts';
import type { Transport } from '../control/transport.ts';
import type { ApiFacts, StorageClassFacts } from '../plan/observed.ts';
import { Ticker } from '../runtime/ticker.ts';

const EVERY_MS = 60_000;
const DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class';

interface RawClasses {
  readonly items?: readonly {
    readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
    readonly allowVolumeExpansion?: boolean;
  }[];
}

/** Source: OpenAPI 3, and the schema of an HTTPRoute: what is read of it. */
interface OpenApi {
  readonly components?: { readonly schemas?: Readonly<Record<string, RouteSchema>> };
}

interface RouteSchema {
  readonly properties?: {
    readonly spec?: {
      readonly properties?: {
        readonly rules?: { readonly items?: { readonly properties?: Readonly<Record<string, unknown>> } };
      };
    };
  };
}

/** What the API server can do, asked again every minute. */
export class ApiWatch {
  readonly #transport: Transport;
  readonly #ticker: Ticker;
  #isStopped = false;
  facts: ApiFacts = { httpRoute: false, podMetrics: false, routeTimeouts: false };
  /** Null: this operator may not read them. */
  storageClasses: readonly StorageClassFacts[] | null = null;

  constructor(transport: Transport, onTrouble: (error: unknown) => void) {
    this.#transport = transport;
    this.#ticker = new Ticker({
      ...{ everyMs: EVERY_MS, startsLater: true, onError: onTrouble },
      run: () => this.ask(),
    });
  }

  /** Resolves when it is known for the first time. Rejects when the API server does not answer. */
  async start(): Promise<void> {
    await this.ask();
    if (!this.#isStopped) this.#ticker.start();
  }

  /** Used once: what has stopped stays stopped. */
  stop(): Promise<void> {
    this.#isStopped = true;
    return this.#ticker.stop();
  }

  async ask(): Promise<void> {
    const [httpRoute, podMetrics, classes] = await Promise.all([
      this.#has('/apis/gateway.networking.k8s.io/v1', 'httproutes'),
      this.#has('/apis/metrics.k8s.io/v1beta1', 'pods'),
      this.#get<RawClasses>('/apis/storage.k8s.io/v1/storageclasses'),
    ]);
    // It is a large document, and what is there once stays there.
    const routeTimeouts =
      this.facts.routeTimeouts === true || (httpRoute && (await this.#hasRouteTimeouts()));
    this.facts = { httpRoute, podMetrics, routeTimeouts };
    this.storageClasses =
      classes?.items?.map(({ metadata: { name, annotations = {} }, allowVolumeExpansion = false }) => {
        return { name, isDefault: annotations[DEFAULT_CLASS] === 'true', allowVolumeExpansion };
      }) ?? null;
  }

  async #hasRouteTimeouts(): Promise<boolean> {
    const document = await this.#get<OpenApi>('/openapi/v3/apis/gateway.networking.k8s.io/v1');
    const schemas = Object.entries(document?.components?.schemas ?? {});
    const [, route] = schemas.find(([name]) => name.endsWith('.HTTPRoute')) ?? [];
    return route?.properties?.spec?.properties?.rules?.items?.properties?.['timeouts'] !== undefined;
  }

  async #has(path: string, plural: string): Promise<boolean> {
    const list = await this.#get<{ resources?: readonly { name: string }[] }>(path);
    return list?.resources?.some(({ name }) => name === plural) ?? false;
  }

  /** Null: not there, or not for us. An aggregated API whose server is away answers 503. */
  async #get<T>(path: string): Promise<T | null> {
    try {
      return await this.#transport.request<T>({ method: 'GET', path, again: 'refused' });
    } catch (error) {
      if (error instanceof ApiError && [403, 404, 503].includes(error.status)) return null;
      throw error;
    }
  }
}

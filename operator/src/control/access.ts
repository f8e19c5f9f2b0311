import { readFile } from 'node:fs/promises';

/** What `https.request` takes, as far as it is filled in. */
export interface AccessOptions {
  ca?: string | Buffer;
  cert?: string | Buffer;
  key?: string | Buffer;
  servername?: string;
  rejectUnauthorized?: boolean;
  headers?: Record<string, string>;
  /** `name:password`. */
  auth?: string;
}

/** Where the API server is, and as whom to come: client-node's `KubeConfig` is one. */
export interface ApiAccess {
  getCurrentCluster(): { readonly server: string; readonly proxyUrl?: string | undefined } | null;
  // client-node's own type of the options is that of two vendors.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  applyToHTTPSOptions(options: any): Promise<void>;
}

/** Source: Kubernetes documentation, "Accessing the API from within a Pod". */
export const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** A pod's own access. Not client-node's, which brings the models of the whole API along: 60 MiB of memory. */
export class PodAccess implements ApiAccess {
  readonly #server: string;
  readonly #folder: string;

  constructor({ host, port }: { readonly host: string; readonly port: number }, folder = SERVICE_ACCOUNT) {
    this.#server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
    this.#folder = folder;
  }

  getCurrentCluster(): { readonly server: string } {
    return { server: this.#server };
  }

  /** The kubelet writes the token anew before it runs out. */
  async applyToHTTPSOptions(options: AccessOptions): Promise<void> {
    const [ca, token] = await Promise.all(
      ['ca.crt', 'token'].map((file) => readFile(`${this.#folder}/${file}`, 'utf8')),
    );
    Object.assign(options, { ca, headers: { ...options.headers, Authorization: `Bearer ${token!.trim()}` } });
  }
}

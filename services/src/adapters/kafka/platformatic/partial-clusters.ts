import { findErrorBy, kGetApi, type Base } from '@platformatic/kafka';

/** An answer about topics, as far as it matters here. */
interface MetadataResponse {
  readonly topics: readonly { readonly errorCode: number }[];
}

type GetApi = (name: string, callback: (error: Error | null, api?: Api) => void) => void;
type Done = (error: Error | null, response?: MetadataResponse) => void;
type Api = ((...args: readonly unknown[]) => unknown) & { readonly version: number };

/**
 * The client works with all topics that it asks for or with none: one partition without a leader makes the whole answer
 * an error. Here such an answer is what it says: who leads what. Topics that are not there, or may not be described,
 * stay errors.
 */
export function toleratingPartialClusters<T extends Base>(client: T): T {
  const guarded = client as unknown as { [kGetApi]: GetApi };
  const getApi = guarded[kGetApi].bind(client);
  guarded[kGetApi] = (name, callback) =>
    getApi(name, (error, api) => {
      callback(error, api && name === 'Metadata' ? tolerant(api) : api);
    });
  return client;
}

function tolerant(api: Api): Api {
  const call = (...args: readonly unknown[]): unknown => {
    const done = args.at(-1) as Done;
    const tolerantly: Done = (error, response) => {
      const answer = error === null ? null : describedIn(error);
      if (answer) done(null, answer);
      else done(error, response);
    };
    return api(...args.slice(0, -1), tolerantly);
  };
  return Object.assign(call, { version: api.version });
}

/** The answer in an error when all its topics are there; null otherwise. */
function describedIn(error: Error): MetadataResponse | null {
  const failed = findErrorBy(error, 'code', 'PLT_KFK_RESPONSE') as { response?: MetadataResponse } | null;
  const { topics } = failed?.response ?? {};
  return topics?.every(({ errorCode }) => errorCode === 0) ? failed!.response! : null;
}

/** The parts of kafkajs's inside that have to be guarded; see `partial-clusters.ts`. */

declare module 'kafkajs/src/cluster/index.js' {
  class Cluster {
    /** Partitions by the id of the broker that leads them. */
    findLeaderForPartitions: (
      this: Cluster,
      topic: string,
      partitions: readonly (number | string)[],
    ) => Record<string, number[]>;
  }
  export = Cluster;
}

declare module 'kafkajs/src/cluster/brokerPool.js' {
  class BrokerPool {
    /** Asks one broker after the other. Null when all have failed. */
    withBroker: <T>(this: BrokerPool, ask: (broker: unknown) => Promise<T>) => Promise<T | null>;
  }
  export = BrokerPool;
}

declare module 'kafkajs/src/protocol/requests/metadata/v6/response.js' {
  interface Metadata {
    readonly topicMetadata: readonly { readonly topic: string; readonly topicErrorCode: number }[];
  }
  const response: { parse: (data: Metadata) => Promise<Metadata> };
  export = response;
}

declare module 'kafkajs/src/protocol/error.js' {
  const errors: {
    failure: (code: number) => boolean;
    createErrorFromCode: (code: number) => Error;
  };
  export = errors;
}

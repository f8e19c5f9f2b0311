import Cluster from 'kafkajs/src/cluster/index.js';
import BrokerPool from 'kafkajs/src/cluster/brokerPool.js';
import metadata from 'kafkajs/src/protocol/requests/metadata/v6/response.js';
import errors from 'kafkajs/src/protocol/error.js';

/** Says that the guard is there already. */
const GUARDED = Symbol.for('hashcluster.kafkajs.partial');

/**
 * kafkajs 2.2.4 works with all of a topic or with nothing of it: one partition without a leader makes its whole metadata
 * an error, and when no broker answers a question it loses the reason. Here partitions without a leader are left out
 * where leaders are looked for (who writes to one notices: see `produce`), and the last broker's error is passed on.
 */
export function guardPartialClusters(): void {
  const cluster = Cluster.prototype as Cluster & { [GUARDED]?: true };
  if (cluster[GUARDED]) return;
  cluster[GUARDED] = true;

  metadata.parse = async (data) => {
    const failed = data.topicMetadata.find(({ topicErrorCode }) => errors.failure(topicErrorCode));
    if (failed)
      throw Object.assign(errors.createErrorFromCode(failed.topicErrorCode), { topic: failed.topic });
    return data;
  };

  const leaders = cluster.findLeaderForPartitions;
  cluster.findLeaderForPartitions = function (this: Cluster, topic, partitions) {
    return Object.fromEntries(
      Object.entries(leaders.call(this, topic, partitions)).filter(([leader]) => Number(leader) >= 0),
    );
  };

  const withBroker = BrokerPool.prototype.withBroker;
  BrokerPool.prototype.withBroker = async function <T>(
    this: BrokerPool,
    ask: Parameters<typeof withBroker<T>>[0],
  ): Promise<T> {
    let last: unknown = new Error('No broker answers');
    const answer = await withBroker.call<BrokerPool, [typeof ask], Promise<T | null>>(
      this,
      async (broker) => {
        try {
          return await ask(broker);
        } catch (error) {
          last = error;
          throw error;
        }
      },
    );
    if (answer === null) throw last;
    return answer;
  };
}

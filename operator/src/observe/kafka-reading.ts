import type { EndpointReading, KafkaReport, Reading } from '../plan/observed.ts';

/**
 * What managed brokers say of themselves, by the word of the endpoints: they have a client of Kafka anyway, and so nobody
 * else needs a way to it. The newest word counts. Null where nobody was asked, or none but endpoints that are too old to
 * say.
 */
export function kafkaReading(endpoints: readonly EndpointReading[]): Reading<KafkaReport> | null {
  const words = endpoints.map(({ cluster }) => cluster).sort((a, b) => b.at - a.at);
  const [newest] = words;
  for (const word of words) {
    if ('value' in word && word.value.bus) return { at: word.at, value: word.value.bus };
  }
  if (!newest || ('value' in newest && newest.value.bus === undefined)) return null;
  return { at: newest.at, error: 'error' in newest ? newest.error : 'no endpoint hears from its brokers' };
}

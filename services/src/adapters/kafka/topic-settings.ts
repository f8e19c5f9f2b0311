/** Settings of a topic, by name. Source: https://kafka.apache.org/43/configuration/topic-configs */
export type TopicSettings = ReadonlyMap<string, string>;

/** The largest message: alive, with all its positions, and room for more. */
const LARGEST_BYTES = 128 << 10;
/** Somebody who is away for a moment still finds what was published meanwhile. */
const LEAST_RETENTION_MS = 60_000;

/** Settings with which every message is refused; null when there are none. Our messages have no keys. */
export function refusingSettings(settings: TopicSettings): string | null {
  const policy = settings.get('cleanup.policy') ?? 'delete';
  return policy.includes('compact') ? `cleanup.policy=${policy} refuses messages without keys` : null;
}

/** All settings with which messages are refused or lost, in words. */
export function wrongSettings(settings: TopicSettings): string[] {
  const refusing = refusingSettings(settings);
  const bytes = numberOf(settings, 'max.message.bytes');
  const retention = numberOf(settings, 'retention.ms');
  return [
    ...(refusing === null ? [] : [refusing]),
    ...(bytes < LARGEST_BYTES ? [`max.message.bytes=${bytes} is less than ${LARGEST_BYTES}`] : []),
    // -1 keeps everything.
    ...(retention >= 0 && retention < LEAST_RETENTION_MS
      ? [`retention.ms=${retention} is less than ${LEAST_RETENTION_MS}`]
      : []),
  ];
}

/** Infinity when it is not known. */
function numberOf(settings: TopicSettings, name: string): number {
  const value = settings.get(name);
  return value === undefined || value === '' ? Infinity : Number(value);
}

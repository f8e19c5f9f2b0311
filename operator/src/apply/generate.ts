import { randomBytes } from 'node:crypto';
import type { GeneratedKey } from '../plan/action.ts';

/** A new random value. A `uuid` is 16 bytes as Kafka writes them: base64url. */
export function generateValue({ bytes, form }: GeneratedKey): string {
  return randomBytes(bytes).toString(form === 'base64' ? 'base64' : 'base64url');
}

/** The `data` of a Secret with new random values. */
export function generateData(keys: readonly GeneratedKey[]): Record<string, string> {
  const entries = keys.map((key) => [key.name, Buffer.from(generateValue(key)).toString('base64')]);
  return Object.fromEntries(entries) as Record<string, string>;
}

import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

/** SCRAM-SHA-512, and the length of its hash in bytes. Source: RFC 5802, RFC 7677. */
const HASH = 'sha512';
const HASH_BYTES = 64;
/** A broker that asks for more rounds than Kafka allows is none of ours. Source: Kafka, `ScramMechanism`, its limit. */
const MAX_ITERATIONS = 16_384;

const derive = promisify(pbkdf2);

/** `SaltedPassword`. */
export function saltedPassword(password: string, salt: Buffer, iterations: number): Promise<Buffer> {
  return derive(password, salt, iterations, HASH_BYTES, HASH);
}

function hmac(key: Buffer, message: string): Buffer {
  return createHmac(HASH, key).update(message).digest();
}

function fieldOf(message: string, name: string): string {
  const field = message.split(',').find((part) => part.startsWith(`${name}=`));
  if (field === undefined) throw new Error(`A SCRAM message of Kafka lacks ${name}`);
  return field.slice(2);
}

/**
 * Logs in: `exchange` sends a message and resolves with the answer. Rejects when the server does not know the password
 * either. Names must not hold `=` or `,`.
 */
export async function scramLogin(
  { user, password }: { readonly user: string; readonly password: string },
  exchange: (message: string) => Promise<string>,
): Promise<void> {
  const nonce = randomBytes(24).toString('base64url');
  const bare = `n=${user},r=${nonce}`;
  const challenge = await exchange(`n,,${bare}`);
  const joined = fieldOf(challenge, 'r');
  const iterations = Number(fieldOf(challenge, 'i'));
  if (!joined.startsWith(nonce) || !(iterations >= 1 && iterations <= MAX_ITERATIONS)) {
    throw new Error('A SCRAM challenge of Kafka is invalid');
  }
  const salted = await saltedPassword(password, Buffer.from(fieldOf(challenge, 's'), 'base64'), iterations);
  const unproven = `c=biws,r=${joined}`;
  const message = `${bare},${challenge},${unproven}`;
  const clientKey = hmac(salted, 'Client Key');
  const signature = hmac(createHash(HASH).update(clientKey).digest(), message);
  const proof = clientKey.map((byte, i) => byte ^ signature[i]!);
  const verdict = await exchange(`${unproven},p=${Buffer.from(proof).toString('base64')}`);
  const expected = hmac(hmac(salted, 'Server Key'), message);
  const proven = Buffer.from(fieldOf(verdict, 'v'), 'base64');
  if (proven.length !== expected.length || !timingSafeEqual(proven, expected)) {
    throw new Error('The broker does not know the password that it was to prove');
  }
}

import { randomBytes } from 'node:crypto';
import { KafkaConnection, type KafkaLogin } from './kafka-connection.ts';
import { compact, compactArray, int32, int8, REQUESTS } from './kafka-wire.ts';
import { saltedPassword } from './scram.ts';

/** Managed brokers, and who changes their users. */
export interface KafkaTarget extends KafkaLogin {
  /** `host:port` of the brokers. */
  readonly hosts: readonly string[];
}

/** A user as it should be. */
export interface KafkaUserPassword {
  readonly name: string;
  readonly password: string;
}

export interface KafkaServersOptions {
  /** For everything that is done on one broker, in milliseconds. */
  readonly brokerMs?: number;
  /** No other broker is tried after so many milliseconds. */
  readonly totalMs?: number;
}

/** SCRAM-SHA-512, as credentials are stored. Source: KIP-554. */
const SCRAM_SHA_512 = 2;
/** What Kafka takes itself where nothing is said. Source: Kafka, `ScramMechanism`. */
const ITERATIONS = 4_096;
const SALT_BYTES = 32;
/** A user that is to be dropped is not there. Source: Kafka, `Errors`. */
const RESOURCE_NOT_FOUND = 91;

/** A change of users, as the request has it. */
interface Change {
  readonly deletions: readonly (readonly Buffer[])[];
  readonly upsertions: readonly (readonly Buffer[])[];
}

/**
 * What the operator does with managed brokers, each time over a connection of its own, which is closed afterwards. Any
 * broker takes a change of users, and hands it on to the controller. Everything may be done twice. Rejects with what every
 * broker says.
 */
export class KafkaServers {
  readonly #brokerMs: number;
  readonly #totalMs: number;

  constructor({ brokerMs = 10_000, totalMs = 20_000 }: KafkaServersOptions = {}) {
    this.#brokerMs = brokerMs;
    this.#totalMs = totalMs;
  }

  /** Creates users, or gives them other passwords. Connections that are open stay so. */
  async setUsers(target: KafkaTarget, users: readonly KafkaUserPassword[]): Promise<void> {
    const upsertions = await Promise.all(users.map(upsertionOf));
    await this.#alter(target, { deletions: [], upsertions });
  }

  /** Drops users; those that are not there are passed over. Connections that are open stay so. */
  async dropUsers(target: KafkaTarget, names: readonly string[]): Promise<void> {
    const deletions = names.map((name) => [compact(name), int8(SCRAM_SHA_512)]);
    await this.#alter(target, { deletions, upsertions: [] });
  }

  async #alter({ hosts, user, password }: KafkaTarget, change: Change): Promise<void> {
    const failures: string[] = [];
    const end = performance.now() + this.#totalMs;
    for (const host of hosts) {
      const leftMs = Math.min(this.#brokerMs, end - performance.now());
      if (leftMs <= 0) break;
      const connection = new KafkaConnection(host, leftMs);
      try {
        await connection.login({ user, password });
        await alterOn(connection, change);
        return;
      } catch (error) {
        failures.push(`${host}: ${error instanceof Error ? error.message : String(error)}`);
      } finally {
        connection.close();
      }
    }
    throw new Error(`No broker changed the users: ${failures.join('; ')}`);
  }
}

async function upsertionOf({ name, password }: KafkaUserPassword): Promise<readonly Buffer[]> {
  const salt = randomBytes(SALT_BYTES);
  const salted = await saltedPassword(password, salt, ITERATIONS);
  return [compact(name), int8(SCRAM_SHA_512), int32(ITERATIONS), compact(salt), compact(salted)];
}

async function alterOn(connection: KafkaConnection, { deletions, upsertions }: Change): Promise<void> {
  const body = [compactArray(deletions), compactArray(upsertions)];
  const answer = await connection.request(REQUESTS.alterUserScramCredentials, body);
  // How long the request was throttled.
  answer.int32();
  const results = answer.compactArray(() => {
    return { user: answer.compactText(), code: answer.int16(), says: answer.compactText() };
  });
  const failed = results.filter(
    ({ code }) => code !== 0 && !(code === RESOURCE_NOT_FOUND && deletions.length > 0),
  );
  if (failed.length === 0) return;
  throw new Error(
    failed.map(({ user, code, says }) => `user ${user}: ${says ?? 'refused'} (error ${code})`).join(', '),
  );
}

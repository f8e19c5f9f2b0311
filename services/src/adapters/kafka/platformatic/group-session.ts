import { setTimeout as sleep } from 'node:timers/promises';
import { Consumer } from '@platformatic/kafka';
import { Ending } from '../ending.ts';
import { ANSWER_MS, HEARTBEAT_MS, JOIN_MS, LEAVE_MS, REBALANCE_MS, SESSION_MS } from '../timing.ts';
import { within } from '../within.ts';
import type { Session } from '../wire.ts';
import { clientOptions } from './client-options.ts';
import { toleratingPartialClusters } from './partial-clusters.ts';
import type { ReaderSessionOptions } from './reader-session.ts';
import { Reader } from './reader.ts';

/** Joining is tried again when the group changes meanwhile. */
const JOIN_ATTEMPTS = 5;
const JOIN_REST_MS = 100;

export interface GroupSessionOptions extends ReaderSessionOptions {
  readonly group: string;
}

/**
 * A member of a group. It has connections of its own, so that heartbeats never wait behind a fetch; what is assigned to
 * it, a reader reads.
 */
export class GroupSession extends Ending implements Session {
  readonly #options: GroupSessionOptions;
  readonly #member: Consumer;
  readonly #reader: Reader;
  #joined = false;
  /** When the group last answered, by the monotonic clock; null: this was never a member. */
  #heardAt: number | null = null;
  readonly #stop = new AbortController();

  constructor(options: GroupSessionOptions) {
    super();
    this.#options = options;
    const { connection, topic, group, sink } = options;
    this.#reader = new Reader({ connection, topic, sink, check: () => this.#check(), fail: this.fail });
    const member = new Consumer({
      ...clientOptions(connection),
      groupId: group,
      sessionTimeout: SESSION_MS,
      rebalanceTimeout: REBALANCE_MS,
      heartbeatInterval: HEARTBEAT_MS,
    });
    this.#member = toleratingPartialClusters(member);
    this.#member.topics.track(topic);
    this.#member.memberId = sink.memberId;
    // Joining again, after the group has changed, did not succeed.
    this.#member.on('error', () => void this.#join());
    this.#member.on('consumer:heartbeat:end', () => {
      if (this.#heardAt !== null) this.#heardAt = performance.now();
    });
    this.#member.on('consumer:group:rebalance', () => {
      sink.rebalancing();
      this.#joined = false;
    });
    this.#member.on('consumer:group:join', () => {
      this.#joined = true;
      sink.memberId = this.#member.memberId;
      this.#assigned().catch(this.fail);
    });
    this.#begin().catch(this.fail);
  }

  async #begin(): Promise<void> {
    await this.#reader.begin();
    await this.#join();
  }

  /** The client itself is told not to retry: where it may, it also joins again after each commit that came too late. */
  async #join(): Promise<void> {
    this.#joined = false;
    for (let attempt = 1; !this.#stop.signal.aborted; attempt++) {
      try {
        await within(this.#member.joinGroup(), JOIN_MS, 'Joining the group');
        return;
      } catch (error) {
        if (attempt === JOIN_ATTEMPTS) this.fail(error);
        if (attempt >= JOIN_ATTEMPTS) return;
        await sleep(JOIN_REST_MS * attempt, undefined, { signal: this.#stop.signal }).catch(() => {});
      }
    }
  }

  async #assigned(): Promise<void> {
    const { topic } = this.#options;
    this.#heardAt = performance.now();
    const partitions = this.#member.assignments?.find((each) => each.topic === topic)?.partitions ?? [];
    await this.#reader.assign(partitions, await this.#committed(partitions));
  }

  /** Where the group stands, as far as it has ever said. */
  async #committed(partitions: readonly number[]): Promise<Map<number, number>> {
    const known = new Map<number, number>();
    if (partitions.length === 0) return known;
    const { topic } = this.#options;
    const asked = this.#member.listCommittedOffsets({ topics: [{ topic, partitions: [...partitions] }] });
    const offsets = await within(asked, ANSWER_MS, 'Asking how far the group has got');
    for (const partition of partitions) {
      const offset = offsets.get(topic)?.[partition];
      if (offset !== undefined && offset >= 0n) known.set(partition, Number(offset));
    }
    return known;
  }

  /** A member that cannot say that it lives is none any more, whatever it believes. */
  #check(): boolean {
    if (this.#heardAt === null) return false;
    if (performance.now() - this.#heardAt > SESSION_MS + REBALANCE_MS)
      throw new Error('The group does not answer');
    return this.#joined;
  }

  async commit(offsets: ReadonlyMap<number, number>): Promise<void> {
    const { topic } = this.#options;
    // The broker closes the connection of somebody who commits and is no member. And what is asked while we join waits
    // behind that.
    if (!this.#joined || this.#member.memberId === null) throw new Error('Not in the group now');
    await this.#member.commit({
      offsets: [...offsets].map(([partition, offset]) => ({
        topic,
        partition,
        offset: BigInt(offset),
        leaderEpoch: -1,
      })),
    });
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all([this.#reader.close(), this.#leave()]);
  }

  async #leave(): Promise<void> {
    try {
      await within(this.#member.close(true), LEAVE_MS, 'Leaving the group');
    } catch {
      // The broker will find out by itself; the connections must not stay.
      await this.#member.connections.close();
    }
  }
}

import { DIGEST_BYTES } from '../jobs/digest.ts';
import type {
  BackendName,
  Hasher,
  HasherDescription,
  HasherEvents,
  HasherLoad,
  HashState,
  HashTask,
} from '../ports/hasher.ts';
import { Engine } from './engine.ts';
import { digestAt, emptyBlock, type ChainBlock } from './engine-protocol.ts';
import { engineFor, nextMove } from './placement.ts';

/** The longest time of one native call, in milliseconds: how long a new chain can wait for a lane at worst. */
export const SLICE_MS = 50;

const DIGEST = /^[0-9a-f]{128}$/;

/** An engine with fewer iterations left than this (some 40 ms) is done before chains have been moved away. */
const WORTH_MOVING = 1_000_000;

export interface EnginePoolOptions {
  readonly backend: BackendName;
  /** Why this backend, in plain words. */
  readonly reason: string;
  readonly cpu: string;
  readonly features: readonly string[];
  readonly engines: number;
  readonly lanes: number;
  readonly sliceMs?: number;
}

/** A chain that is held. `engine` is null while it moves from one to another. */
interface Held {
  readonly key: string;
  readonly ref: number;
  readonly target: number;
  readonly age: number;
  position: number;
  engine: Member | null;
}

interface Member {
  readonly engine: Engine;
  readonly chains: Map<number, Held>;
  iterationsLeft: number;
  capacity: number;
}

/** Hashes on every core: an engine per core, chains spread among them and moved when one has lanes to spare. */
export class EnginePool implements Hasher {
  readonly description: HasherDescription;
  readonly #sliceMs: number;
  readonly #members: Member[] = [];
  readonly #held = new Map<string, Held>();
  #events: HasherEvents | null = null;
  #moving: Promise<void> | null = null;
  #lastRef = 0;
  #iterationsDone = 0;

  constructor(options: EnginePoolOptions) {
    const { sliceMs = SLICE_MS, ...description } = options;
    this.description = description;
    this.#sliceMs = sliceMs;
  }

  async start(events: HasherEvents): Promise<void> {
    if (this.#events) return;
    this.#events = events;
    for (let i = 0; i < this.description.engines; i++) this.#members.push(this.#newMember());
    await Promise.all(this.#members.map(({ engine }) => engine.ready()));
  }

  async stop(): Promise<void> {
    this.#events = null;
    await Promise.all(this.#members.map(({ engine }) => engine.stop()));
    this.#members.length = 0;
    this.#held.clear();
  }

  has(key: string): boolean {
    return this.#held.has(key);
  }

  add(tasks: readonly HashTask[]): void {
    if (!this.#events) throw new Error('The hasher is not running');
    this.#check(tasks);
    const ready: HashState[] = [];
    const batches = new Map<Member, Held[]>();
    const starts = new Map<Held, HashTask>();
    for (const task of tasks) {
      if (task.position >= task.target) {
        ready.push({ key: task.key, position: task.position, digest: task.digest });
        continue;
      }
      const held = this.#hold(task);
      starts.set(held, task);
      listIn(batches, held.engine!).push(held);
    }
    for (const [member, batch] of batches) {
      const block = emptyBlock(batch.length);
      const bytes = Buffer.from(block.digests.buffer);
      batch.forEach((held, i) => {
        block.refs[i] = held.ref;
        block.remaining[i] = held.target - held.position;
        bytes.write(starts.get(held)!.digest, i * DIGEST_BYTES, 'hex');
      });
      member.engine.add(
        block,
        Float64Array.from(batch, (held) => held.age),
      );
    }
    if (ready.length > 0) queueMicrotask(() => this.#events?.finished(ready));
  }

  /** Before anything is taken in, so that a task that is refused leaves nothing half done. */
  #check(tasks: readonly HashTask[]): void {
    const keys = new Set<string>();
    for (const { key, position, target, digest } of tasks) {
      if (this.#held.has(key) || keys.has(key)) throw new Error(`The hasher holds ${key} already`);
      keys.add(key);
      const isSound = Number.isSafeInteger(target) && Number.isSafeInteger(position) && position >= 1;
      if (!isSound || !DIGEST.test(digest))
        throw new RangeError(`${key} is no task: from position ${position} to ${target}`);
    }
  }

  async remove(keys: readonly string[]): Promise<HashState[]> {
    await this.#moving;
    const byMember = new Map<Member, Held[]>();
    for (const key of keys) {
      const held = this.#held.get(key);
      if (held?.engine) listIn(byMember, held.engine).push(held);
    }
    const answers = await Promise.all([...byMember].map(([member, chains]) => this.#take(member, chains)));
    return answers.flat().map(({ held, digest }) => {
      this.#held.delete(held.key);
      return { key: held.key, position: held.position, digest: Buffer.from(digest).toString('hex') };
    });
  }

  load(): HasherLoad {
    const { lanes } = this.description;
    const sum = (of: (member: Member) => number): number => this.#members.reduce((all, m) => all + of(m), 0);
    return {
      chains: this.#held.size,
      freeLanes: sum((member) => Math.max(0, lanes - member.chains.size)),
      iterationsLeft: sum((member) => Math.max(0, member.iterationsLeft)),
      iterationsDone: this.#iterationsDone,
      capacity: sum((member) => member.capacity),
    };
  }

  #newMember(): Member {
    const engine = new Engine(this.description.backend, this.#sliceMs, {
      ended: (chains) => this.#ended(member, chains),
      moved: (chains) => this.#progress(member, chains),
      worked: (iterations, capacity) => {
        this.#iterationsDone += iterations;
        member.capacity = capacity;
      },
      fault: (error) => this.#events?.fault(error),
    });
    const member: Member = { engine, chains: new Map(), iterationsLeft: 0, capacity: 0 };
    return member;
  }

  #hold(task: HashTask): Held {
    const member = this.#members[engineFor(this.#loads(), this.description.lanes)]!;
    const ref = ++this.#lastRef;
    const { key, target, position } = task;
    const held: Held = { key, ref, target, age: ref, position, engine: member };
    this.#held.set(key, held);
    this.#enter(member, held);
    return held;
  }

  #enter(member: Member, held: Held): void {
    held.engine = member;
    member.chains.set(held.ref, held);
    member.iterationsLeft += held.target - held.position;
  }

  #leave(member: Member, held: Held): void {
    held.engine = null;
    member.chains.delete(held.ref);
    member.iterationsLeft -= held.target - held.position;
  }

  #loads(): { chains: number; iterationsLeft: number }[] {
    return this.#members.map(({ chains, iterationsLeft }) => ({ chains: chains.size, iterationsLeft }));
  }

  #statesOf(member: Member, block: ChainBlock): HashState[] {
    const states: HashState[] = [];
    block.refs.forEach((ref, i) => {
      const held = member.chains.get(ref);
      if (!held) return;
      const position = held.target - block.remaining[i]!;
      member.iterationsLeft -= position - held.position;
      held.position = position;
      states.push({ key: held.key, position, digest: Buffer.from(digestAt(block, i)).toString('hex') });
    });
    return states;
  }

  #progress(member: Member, block: ChainBlock): void {
    const states = this.#statesOf(member, block);
    if (states.length > 0) this.#events?.progress(states);
    this.#rebalance();
  }

  #ended(member: Member, block: ChainBlock): void {
    const states = this.#statesOf(member, block);
    for (const { key } of states) {
      this.#leave(member, this.#held.get(key)!);
      this.#held.delete(key);
    }
    this.#events?.finished(states);
    this.#rebalance();
  }

  /**
   * Takes chains off an engine. They stay held, but run nowhere; those that ended meanwhile are left out. One that has not
   * ended and that the engine does not have runs nowhere: it is not held any longer.
   */
  async #take(member: Member, chains: readonly Held[]): Promise<{ held: Held; digest: Uint8Array }[]> {
    const byRef = new Map(chains.map((held) => [held.ref, held]));
    const block = await member.engine.remove([...byRef.keys()]);
    const found = new Set(block.refs);
    for (const [ref, held] of byRef) {
      // Ends are reported before the answer.
      if (found.has(ref) || !member.chains.has(ref)) continue;
      this.#leave(member, held);
      this.#held.delete(held.key);
    }
    return [...block.refs].map((ref, i) => {
      const held = byRef.get(ref)!;
      this.#leave(member, held);
      held.position = held.target - block.remaining[i]!;
      return { held, digest: digestAt(block, i) };
    });
  }

  #rebalance(): void {
    if (this.#moving || !this.#events) return;
    const move = nextMove(this.#loads(), this.description.lanes);
    if (!move) return;
    const from = this.#members[move.from]!;
    const to = this.#members[move.to]!;
    if (from.iterationsLeft < WORTH_MOVING) return;
    const left = (held: Held): number => held.target - held.position;
    const chosen = [...from.chains.values()].sort((a, b) => left(b) - left(a)).slice(0, move.chains);
    this.#moving = this.#move(from, to, chosen).finally(() => (this.#moving = null));
  }

  async #move(from: Member, to: Member, chosen: readonly Held[]): Promise<void> {
    const taken = await this.#take(from, chosen);
    if (!this.#events || taken.length === 0) return;
    const block = emptyBlock(taken.length);
    taken.forEach(({ held, digest }, i) => {
      this.#enter(to, held);
      block.refs[i] = held.ref;
      block.remaining[i] = held.target - held.position;
      block.digests.set(digest, i * DIGEST_BYTES);
    });
    to.engine.add(
      block,
      Float64Array.from(taken, ({ held }) => held.age),
    );
  }
}

function listIn<K, V>(lists: Map<K, V[]>, key: K): V[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}

import { MessageChannel, Worker } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import type { BackendName } from '../ports/hasher.ts';
import { emptyBlock } from './engine-protocol.ts';
import type { ChainBlock, EngineCommand, EngineData, EngineReport } from './engine-protocol.ts';

/** An engine that has been told to stop may take this long to finish its slice, in milliseconds. */
const STOP_MS = 2_000;

/** An engine that is not ready after this long is broken, in milliseconds. */
const START_MS = 20_000;

export interface EngineEvents {
  ended(chains: ChainBlock): void;
  moved(chains: ChainBlock): void;
  /** Iterations since the last call, and iterations per second with full lanes. */
  worked(iterations: number, capacity: number): void;
  fault(error: Error): void;
}

/** One core's worth of hashing: a thread of its own that runs lanes in slices. */
export class Engine {
  readonly #attention = new Int32Array(new SharedArrayBuffer(4));
  readonly #requests = new Map<number, (chains: ChainBlock) => void>();
  readonly #events: EngineEvents;
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #exited: Promise<void>;
  #ready: { resolve: () => void; reject: (error: Error) => void } | null = null;
  #stopping = false;
  #lastRequest = 0;

  constructor(backend: BackendName, sliceMs: number, events: EngineEvents) {
    this.#events = events;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const data: EngineData = { backend, sliceMs, attention: this.#attention, port: port2 };
    const file = import.meta.url.endsWith('.ts') ? './engine-thread.ts' : './engine-thread.js';
    this.#worker = new Worker(new URL(file, import.meta.url), { workerData: data, transferList: [port2] });
    this.#port.on('message', (report: EngineReport) => this.#hear(report));
    this.#worker.on('error', (error: Error) => this.#fail(error));
    this.#exited = new Promise((resolve) => this.#worker.once('exit', () => resolve()));
    void this.#exited.then(() => this.#ended());
  }

  /** Waits until the engine is ready to hash. Rejects when its thread cannot start. */
  async ready(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve, reject) => {
      this.#ready = { resolve, reject };
      timer = setTimeout(
        () => reject(new Error(`A hashing engine was not ready after ${START_MS} ms`)),
        START_MS,
      );
    }).finally(() => clearTimeout(timer));
    this.#ready = null;
  }

  /** Gives the engine chains to hash; the arrays are handed over. */
  add(chains: ChainBlock, ages: Float64Array): void {
    this.#send({ kind: 'add', chains, ages });
  }

  /** Takes chains back where they stand at the end of the slice. Those that have ended are missing in the answer. */
  remove(refs: readonly number[]): Promise<ChainBlock> {
    const request = ++this.#lastRequest;
    return new Promise((resolve) => {
      this.#requests.set(request, resolve);
      this.#send({ kind: 'remove', refs, request });
    });
  }

  /** Ends the thread within a slice; forces it after 2 s. Idempotent. */
  async stop(): Promise<void> {
    if (!this.#stopping) {
      this.#stopping = true;
      this.#send({ kind: 'stop' });
    }
    const timer = setTimeout(() => void this.#worker.terminate(), STOP_MS);
    await this.#exited;
    clearTimeout(timer);
    this.#port.close();
  }

  #send(command: EngineCommand): void {
    this.#port.postMessage(command);
    Atomics.store(this.#attention, 0, 1);
    Atomics.notify(this.#attention, 0);
  }

  #hear(report: EngineReport): void {
    if (report.kind === 'ready') {
      this.#events.worked(0, report.capacity);
      this.#ready?.resolve();
    } else if (report.kind === 'removed') {
      this.#requests.get(report.request)?.(report.chains);
      this.#requests.delete(report.request);
    } else {
      this.#events.worked(report.iterations, report.capacity);
      if (report.moved) this.#events.moved(report.moved);
      if (report.ended) this.#events.ended(report.ended);
    }
  }

  /** Nothing more comes: whoever waits for chains gets none. */
  #ended(): void {
    for (const answer of this.#requests.values()) answer(emptyBlock(0));
    this.#requests.clear();
    this.#fail(new Error('A hashing engine ended without being told to'));
  }

  #fail(error: Error): void {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#ready?.reject(error);
    this.#events.fault(error);
  }
}

import { Client, type Item, type JobBody } from './client.ts';

const BATCH = 5_000;

/** Jobs that are submitted one batch after the other. */
export interface Many {
  /** A multiple of 5,000. */
  readonly count: number;
  readonly iterations: number;
  /** What the job of a number, from 0, is about; different for different jobs. */
  readonly data: (number: number) => string;
  /** What each of them has to be when it is answered; anything where it does not matter. */
  readonly state?: JobBody['state'];
  /** Batches that are under way at once. */
  readonly inFlight: number;
}

/** Submits in NDJSON batches of 5,000, at all of these addresses in turn. Returns the ids; rejects when one is not taken. */
export async function submitAll(
  urls: readonly string[],
  { count, iterations, data, state, inFlight }: Many,
): Promise<string[]> {
  const clients = urls.map((url) => new Client(url));
  const ids: string[] = [];
  let next = 0;
  const submitSome = async (): Promise<void> => {
    while (next * BATCH < count) {
      const at = next++;
      const items = Array.from({ length: BATCH }, (_, i): Item => ({
        data: data(at * BATCH + i),
        iterations,
      }));
      const answers = await clients[at % clients.length]!.submitMany(items);
      const bad = answers.find(({ job }) => !job || (state !== undefined && job.state !== state));
      if (answers.length !== BATCH || bad)
        throw new Error(`Not ${state ?? 'taken'}: ${JSON.stringify(bad ?? answers.length)}`);
      ids.push(...answers.map(({ job }) => job!.id));
    }
  };
  await Promise.all(Array.from({ length: inFlight }, submitSome));
  return ids;
}

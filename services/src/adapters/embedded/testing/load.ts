import { writeSync } from 'node:fs';
import { completionOf, job, TENANT } from '../../../ports/job-store-conformance-facts.ts';
import { openStoreOn } from './kit.ts';

/** Works on a store until it is killed. Each line says something that was acknowledged: `created`, `done`, `cancelled`. */

const CLIENTS = 8;
const BATCH = 25;

async function work(file: string, round: string): Promise<never> {
  const { store } = await openStoreOn(file);
  const say = (word: string, names: readonly string[]): void => {
    writeSync(1, names.map((name) => `${word} ${name}\n`).join(''));
  };
  const client = async (number: number): Promise<never> => {
    for (let turn = 0; ; turn++) {
      const names = Array.from({ length: BATCH }, (_, at) => `${round}-${number}-${turn}-${at}`);
      const facts = names.map((name) => job(name));
      await store.submit(facts);
      say('created', names);
      await store.claim(`worker-${number}`, { ids: facts.map(({ id }) => id) });
      await store.complete(facts.slice(0, 15).map((each) => completionOf(each)));
      say('done', names.slice(0, 15));
      await store.cancel(
        TENANT,
        facts.slice(15, 20).map(({ id }) => id),
      );
      say('cancelled', names.slice(15, 20));
    }
  };
  return Promise.race(Array.from({ length: CLIENTS }, (_, number) => client(number)));
}

const [file, round] = process.argv.slice(2);
await work(file!, round!);

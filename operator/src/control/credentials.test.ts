import { expect, test } from '@jest/globals';
import { systemClock } from '../runtime/clock.ts';
import { Credentials } from './credentials.ts';

test('an access that does not answer is given up at the deadline, and asked anew', async () => {
  let asked = 0;
  const access = {
    getCurrentCluster: () => ({ server: 'https://127.0.0.1' }),
    applyToHTTPSOptions: (options: { ca?: string }): Promise<void> => {
      asked += 1;
      if (asked === 1) return new Promise(() => {});
      options.ca = 'ours';
      return Promise.resolve();
    },
  };
  const credentials = new Credentials(access, systemClock, 20);
  await expect(credentials.get()).rejects.toThrow('No credentials for the API server within 20 ms');
  await expect(credentials.get()).resolves.toMatchObject({ tls: { ca: 'ours' } });
});

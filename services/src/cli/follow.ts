import { setTimeout as sleep } from 'node:timers/promises';
import { hasEnded, isJobBody, type JobBody } from './api.ts';
import type { Client } from './client.ts';
import { CliError, EXIT } from './exit-codes.ts';
import { backoffMs } from '../runtime/retry.ts';
import { BACKOFF } from './retry.ts';
import type { SseEvent } from './sse.ts';

/** Connections in a row that bring nothing before following is given up. */
const MAX_FRUITLESS = 6;

function jobOf(event: SseEvent): JobBody {
  let value: unknown;
  try {
    value = JSON.parse(event.data);
  } catch {
    value = null;
  }
  if (isJobBody(value)) return value;
  throw new CliError(EXIT.unavailable, 'The event stream is not one of HashCluster. Is --server right?');
}

/**
 * A job as it moves, the last time when it has ended. A stream that is cut is taken up again where it stood; while the
 * service is away, `client` tries for as long as its budget says.
 */
export async function* followJob(client: Client, id: string, signal: AbortSignal): AsyncGenerator<JobBody> {
  let lastEventId = '';
  for (let fruitless = 0; fruitless < MAX_FRUITLESS; fruitless++) {
    if (fruitless > 0) {
      const wait = backoffMs(fruitless, BACKOFF, Math.random);
      await sleep(wait, null, { signal }).catch(() => signal.throwIfAborted());
    }
    for await (const event of client.events(id, lastEventId)) {
      fruitless = 0;
      lastEventId = event.id;
      const job = jobOf(event);
      yield job;
      if (hasEnded(job.state)) return;
    }
  }
  throw new CliError(EXIT.unavailable, `${client.server} ends the event stream of job ${id} without a word.`);
}

import { completionOf, digestAt, job } from '../../../ports/job-store-conformance-facts.ts';
import type { JobFacts } from '../../../jobs/job.ts';
import { runGroup } from '../sqlite/groups.ts';
import { openStore, type OpenStore } from '../sqlite/open.ts';
import type { Cell, Command, Operation } from '../sqlite/protocol.ts';
import type { Times } from '../sqlite/store-clock.ts';
import { OPTIONS } from './kit.ts';

/** Works on a file without a thread in between, so that a test decides what shares a transaction, and when it is. */

const NOW = Date.UTC(2026, 0, 1);

export function openHere(file: string): OpenStore {
  return openStore({ ...OPTIONS, file, now: NOW });
}

export function command(operation: Operation, cells: readonly Cell[]): Command {
  return { call: 0, operation, cells, items: 1, times: timesAt(NOW) };
}

/** Runs commands in one transaction, `later` milliseconds after the file was opened. Each must succeed. */
export function run({ ledger }: OpenStore, commands: readonly Command[], later = 0): Cell[][] {
  const timed = commands.map((each) => ({ ...each, times: timesAt(NOW + later) }));
  return runGroup(ledger, timed).map((reply) => {
    if ('failure' in reply) throw new Error(reply.failure);
    return [...reply.cells];
  });
}

export function named(names: readonly string[]): JobFacts[] {
  return names.map((name) => job(name));
}

export function submitOf(facts: readonly JobFacts[], withDigest: boolean): Command {
  const cells = facts.flatMap(({ id, tenant, chain, iterations }): Cell[] => {
    return [id, tenant, chain, iterations, withDigest ? digestAt(chain, iterations) : null];
  });
  return command('submit', cells);
}

export function completeOf(facts: readonly JobFacts[]): Command {
  const cells = facts.flatMap((each): Cell[] => {
    const { id, tenant, chain, iterations, digest, computed, worker, createdAt, startedAt } =
      completionOf(each);
    return [id, tenant, chain, iterations, digest, computed, worker, createdAt, startedAt];
  });
  return command('complete', cells);
}

function timesAt(now: number): Times {
  return { now, lag: 0, monotonic: now };
}

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { facts } from '../testing/jobs.ts';
import { BatchQueue, type Place, type Ticket } from './batch-queue.ts';

const one = facts('x');

function ticket(size: number): Ticket {
  return {
    facts: Array.from({ length: size }, () => one),
    answers: [],
    taken: 0,
    missing: size,
    resolve: () => undefined,
  };
}

function drain(queue: BatchQueue): Place[][] {
  const batches: Place[][] = [];
  for (let batch = queue.take(); batch.length > 0; batch = queue.take()) batches.push(batch);
  return batches;
}

describe('the queue of submissions', () => {
  test('hands out every submission once, in the order of its request, in batches that fit', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 60 })),
        fc.integer({ min: 2, max: 50 }),
        (sizes, max) => {
          const queue = new BatchQueue(max);
          const tickets = sizes.map(ticket);
          tickets.forEach((one) => queue.add(one));
          const batches = drain(queue);
          expect(batches.every((batch) => batch.length <= max)).toBe(true);
          const places = batches.flat();
          for (const one of tickets) {
            const indexes = places.filter((place) => place.ticket === one).map(({ index }) => index);
            expect(indexes).toEqual([...one.facts.keys()]);
          }
        },
      ),
    );
  });

  test('fills every batch while enough is there', () => {
    const queue = new BatchQueue(10);
    [25, 1, 1, 30].forEach((size) => queue.add(ticket(size)));
    expect(drain(queue).map((batch) => batch.length)).toEqual([10, 10, 10, 10, 10, 7]);
  });

  test('lets a small request into the next batch, however much stands before it', () => {
    const queue = new BatchQueue(10);
    queue.add(ticket(1_000));
    queue.take();
    const small = ticket(1);
    queue.add(small);
    expect(queue.take().map((place) => place.ticket)).toContain(small);
  });

  test('gives bulk requests half of each batch, however many small ones come', () => {
    const queue = new BatchQueue(10);
    const bulk = ticket(20);
    queue.add(bulk);
    for (let i = 0; i < 100; i++) queue.add(ticket(1));
    expect(queue.take().filter((place) => place.ticket === bulk)).toHaveLength(5);
  });
});

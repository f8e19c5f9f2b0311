import { expect, test } from '@jest/globals';
import { GROUP_ITEMS } from './groups.ts';
import { Inbox } from './inbox.ts';
import type { Command, Operation } from './protocol.ts';

const TIMES = { now: 0, lag: 0, monotonic: 0 };
let calls = 0;

const command = (operation: Operation, items = 1): Command => ({
  call: ++calls,
  operation,
  items,
  cells: [],
  times: TIMES,
});

/** What the groups consist of, one after the other. */
function groupsOf(inbox: Inbox): string[] {
  const groups: string[] = [];
  for (let group = inbox.nextGroup(); group.length > 0; group = inbox.nextGroup())
    groups.push(group.map(({ operation }) => operation).join());
  return groups;
}

function received(...commands: Command[]): Inbox {
  const inbox = new Inbox();
  inbox.receive({ kind: 'commands', commands });
  return inbox;
}

test('what comes after pages of lists does not wait for them', () => {
  const inbox = received(
    command('list'),
    command('list'),
    command('list'),
    command('submit'),
    command('get'),
  );
  expect(groupsOf(inbox)).toEqual(['submit,get', 'list', 'list', 'list']);
});

test('pages of lists take turns with the rest, one at a time', () => {
  const large = () => command('submit', GROUP_ITEMS);
  const inbox = received(large(), large(), large(), command('list'), command('list'));
  expect(groupsOf(inbox)).toEqual(['submit', 'list', 'submit', 'list', 'submit']);
});

test('each lane keeps its order, whatever comes between', () => {
  const inbox = received(command('claimOldest'), command('list'), command('owned'));
  inbox.receive({ kind: 'commands', commands: [command('list'), command('release')] });
  expect(groupsOf(inbox)).toEqual(['claimOldest,owned,release', 'list', 'list']);
});

test('a group has no more than the transaction may have, and one command at least', () => {
  const inbox = received(
    command('submit', GROUP_ITEMS - 1),
    command('submit'),
    command('submit', 2 * GROUP_ITEMS),
    command('get'),
  );
  expect(groupsOf(inbox)).toEqual(['submit,submit', 'submit', 'get']);
});

test('closing is noticed', () => {
  const inbox = new Inbox();
  expect(inbox.closing).toBeNull();
  inbox.receive({ kind: 'close', times: TIMES });
  expect([inbox.closing, inbox.nextGroup()]).toEqual([TIMES, []]);
});

import { describe, expect, test } from '@jest/globals';
import { EventEmitter } from 'node:events';
import type { JobView } from '../../jobs/job.ts';
import { jobResult, liveJob } from '../testing/jobs.ts';
import { EventStream, parseLastEventId, type LastEventId } from './event-stream.ts';

/** A client that reads, or does not. */
class Client extends EventEmitter {
  text = '';
  reads = true;
  ended = false;
  destroyed = false;

  write(text: string): boolean {
    this.text += text;
    return this.reads;
  }

  end(text = ''): void {
    this.text += text;
    this.ended = true;
  }

  destroy(): void {
    this.destroyed = true;
  }

  names(): string[] {
    return [...this.text.matchAll(/event: (\w+)\nid: (\w+)/g)].map(([, event, id]) => `${event} ${id}`);
  }
}

function setup(seen: LastEventId = null) {
  const client = new Client();
  const slow: string[] = [];
  const stream = new EventStream({
    res: client as never,
    seen,
    render: () => '{}',
    positionOf: (view) => (view.kind === 'live' ? view.job.position : view.result.iterations),
    onSlow: () => slow.push('slow'),
  });
  return { client, stream, slow };
}

const at = (position: number): JobView => ({ kind: 'live', job: liveJob('x', { owner: 'w', position }) });
const ended: JobView = { kind: 'result', result: jobResult('x') };

describe('an event stream', () => {
  test('tells a slow reader only how things stand when it reads again', () => {
    const { client, stream } = setup();
    client.reads = false;
    stream.open(at(1));
    for (const position of [10, 20, 30]) stream.observed(at(position));
    expect(client.names()).toEqual(['state 1']);
    client.reads = true;
    client.emit('drain');
    expect(client.names()).toEqual(['state 1', 'progress 30']);
  });

  test('tells a slow reader of the end at last', () => {
    const { client, stream } = setup();
    client.reads = false;
    stream.open(at(1));
    stream.observed(ended);
    expect(client.ended).toBe(false);
    client.emit('drain');
    expect(client.names()).toEqual(['state 1', 'end end']);
    expect(client.ended).toBe(true);
  });

  test('drops a reader that takes nothing for two heartbeats', () => {
    const { client, stream, slow } = setup();
    client.reads = false;
    stream.open(at(1));
    stream.beat();
    expect(client.destroyed).toBe(false);
    stream.beat();
    expect([client.destroyed, slow]).toEqual([true, ['slow']]);
  });

  test('keeps a reader that is merely late', () => {
    const { client, stream } = setup();
    client.reads = false;
    stream.open(at(1));
    stream.beat();
    client.emit('drain');
    stream.beat();
    stream.beat();
    expect(client.destroyed).toBe(false);
  });

  test('says nothing before it is open and nothing after it is closed', () => {
    const { client, stream } = setup();
    stream.observed(at(5));
    stream.beat();
    stream.close();
    expect([client.text, client.ended]).toEqual(['', false]);
    stream.open(at(5));
    stream.close();
    const text = client.text;
    stream.observed(at(6));
    stream.beat();
    expect([client.text, client.ended]).toEqual([text, true]);
  });

  test('tells of an end that was seen while it was being opened', () => {
    const { client, stream } = setup();
    stream.observed(ended);
    stream.open(at(1));
    expect(client.names()).toEqual(['end end']);
  });

  test('tells of a job that is queued again', () => {
    const { client, stream } = setup();
    stream.open(at(100));
    stream.observed({ kind: 'live', job: liveJob('x', { position: 50 }) });
    expect(client.names()).toEqual(['state 100', 'state 100']);
  });

  test.each([
    ['below the position', 40, ['state 50', 'progress 60']],
    ['at the position', 50, ['progress 60']],
    ['beyond the position', 55, ['state 50', 'progress 60']],
    ['beyond what a job can have', Number.MAX_SAFE_INTEGER, ['state 50', 'progress 60']],
  ])('tells progress from now on to a client whose last event id is %s', (_, seen, expected) => {
    const { client, stream } = setup(seen);
    stream.open(at(50));
    stream.observed(at(60));
    expect(client.names()).toEqual(expected);
  });

  test.each<[string | undefined, LastEventId]>([
    [undefined, null],
    ['end', 'end'],
    ['42', 42],
    ['0', null],
    ['-1', null],
    ['4e3', null],
    ['99999999999999999999', null],
  ])('takes the last event id %p for %p', (header, id) => {
    expect(parseLastEventId(header)).toBe(id);
  });
});

/** One event of a `text/event-stream`. */
export interface SseEvent {
  /** `message` when the stream did not name it. */
  readonly type: string;
  readonly data: string;
  /** The last id seen on the stream so far; empty when none was. */
  readonly id: string;
}

/** The longest line taken in, in characters; a longer one is not from our service. */
const MAX_LINE = 1_048_576;

/**
 * Takes a stream apart into events, whatever the chunks. Source: WHATWG HTML, 9.2.6 "Interpreting an event stream".
 * `retry` is ignored: how often to reconnect is the client's own decision.
 */
export class SseParser {
  #rest = '';
  #begun = false;
  #endedWithCr = false;
  #type = '';
  #data: string[] = [];
  #id = '';

  /** The events that this chunk completes. Throws when a line is longer than 1 MiB. */
  push(chunk: string): SseEvent[] {
    let text = chunk;
    if (!this.#begun && text !== '') {
      this.#begun = true;
      if (text.startsWith('\ufeff')) text = text.slice(1);
    }
    // CR LF is one line end, also when the chunk border is between the two.
    if (this.#endedWithCr && text.startsWith('\n')) text = text.slice(1);
    if (chunk !== '') this.#endedWithCr = chunk.endsWith('\r');
    const lines = (this.#rest + text).split(/\r\n|\r|\n/);
    this.#rest = lines.pop()!;
    if (this.#rest.length > MAX_LINE) throw new RangeError('a line of the event stream is longer than 1 MiB');
    const events: SseEvent[] = [];
    for (const line of lines) {
      const event = this.#line(line);
      if (event) events.push(event);
    }
    return events;
  }

  #line(line: string): SseEvent | null {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon);
    const raw = colon === -1 ? '' : line.slice(colon + 1);
    const value = raw.startsWith(' ') ? raw.slice(1) : raw;
    if (field === 'event') this.#type = value;
    else if (field === 'data') this.#data.push(value);
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
    return null;
  }

  #dispatch(): SseEvent | null {
    const event = { type: this.#type || 'message', data: this.#data.join('\n'), id: this.#id };
    const empty = this.#data.length === 0;
    this.#type = '';
    this.#data = [];
    return empty ? null : event;
  }
}

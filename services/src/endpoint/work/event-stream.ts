import type { ServerResponse } from 'node:http';
import type { JobState, JobView } from '../../jobs/job.ts';
import { stateOf } from '../../jobs/job.ts';
import type { Watcher } from './watchers.ts';

/** What a client says it has seen of a job; `end`: all of it. */
export type LastEventId = number | 'end' | null;

/** A `Last-Event-ID` header: a position, or `end`. Anything else is none of ours and does not count. */
export function parseLastEventId(header: string | undefined): LastEventId {
  if (header === 'end') return 'end';
  return header !== undefined && /^[1-9][0-9]{0,15}$/.test(header) ? Number(header) : null;
}

/** One event. Source: WHATWG HTML, server-sent events. `data` has no line breaks. */
export function eventText(name: 'state' | 'progress' | 'end', id: number | 'end', data: string): string {
  return `event: ${name}\nid: ${id}\ndata: ${data}\n\n`;
}

const HEARTBEAT = ':\n\n';

export interface EventStreamOptions {
  readonly res: ServerResponse;
  readonly seen: LastEventId;
  /** The job as JSON, as it stands now. */
  readonly render: (view: JobView) => string;
  /** How far its worker says it is. */
  readonly positionOf: (view: JobView) => number;
  /** The client does not read. */
  readonly onSlow: () => void;
}

/**
 * Tells one client of one job. Positions only grow; a position that the client says to
 * have seen and that lies ahead counts as the present one. What a slow reader has not taken is not queued: once it reads again
 * it is told how things stand then. One that takes nothing from a heartbeat to the next but one is dropped.
 */
export class EventStream implements Watcher {
  readonly #options: EventStreamOptions;
  #position: number;
  #state: JobState | null = null;
  #view: JobView | null = null;
  #open = false;
  #blocked = false;
  #behind = false;
  #beatsBlocked = 0;

  constructor(options: EventStreamOptions) {
    this.#options = options;
    this.#position = typeof options.seen === 'number' ? options.seen : 0;
    options.res.on('drain', () => this.#drained());
  }

  /** Tells how things stand, unless the client has seen just that, and begins to follow. */
  open(view: JobView): void {
    const current = this.#view?.kind === 'result' ? this.#view : view;
    this.#open = true;
    const position = this.#options.positionOf(current);
    // An id that lies ahead was not given for this job, or its checkpoint was lost: it must not silence what is to come.
    this.#position = Math.min(this.#position, position);
    if (this.#options.seen === position && current.kind === 'live') this.#state = stateOf(current);
    this.observed(current);
  }

  observed(view: JobView): void {
    this.#view = view;
    if (!this.#open) return;
    if (this.#blocked) this.#behind = true;
    else if (view.kind === 'result') this.#end(view);
    else if (stateOf(view) !== this.#state) this.#tell('state', view);
    else if (this.#options.positionOf(view) > this.#position) this.#tell('progress', view);
  }

  moved(): void {
    if (this.#view) this.observed(this.#view);
  }

  /** Shows that the stream is alive, to the client and to whatever stands between. */
  beat(): void {
    if (!this.#open) return;
    if (!this.#blocked) {
      this.#write(HEARTBEAT);
      return;
    }
    if (++this.#beatsBlocked < 2) return;
    this.#options.onSlow();
    this.#options.res.destroy();
  }

  /** Ends the stream. The client comes again, with the id it has seen last. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#options.res.end();
  }

  #tell(name: 'state' | 'progress', view: JobView): void {
    this.#state = stateOf(view);
    this.#position = Math.max(this.#position, this.#options.positionOf(view));
    this.#write(eventText(name, this.#position, this.#options.render(view)));
  }

  #end(view: JobView): void {
    this.#open = false;
    this.#options.res.end(eventText('end', 'end', this.#options.render(view)));
  }

  #write(text: string): void {
    if (!this.#options.res.write(text)) this.#blocked = true;
  }

  #drained(): void {
    this.#blocked = false;
    this.#beatsBlocked = 0;
    if (this.#behind && this.#view) {
      this.#behind = false;
      this.observed(this.#view);
    }
  }
}

import { SingleBar } from 'cli-progress';
import { formatCount, formatDuration, formatPercent, formatRate } from './format.ts';
import type { Output, TextStream } from './output.ts';

/** Where something stands. */
export interface Standing {
  /** What it is doing: `running`, `verifying`. */
  readonly label: string;
  readonly position: number;
  readonly total: number;
  /** Iterations per second, and seconds left; null when not known. */
  readonly rate: number | null;
  readonly secondsLeft: number | null;
  /** How positions are written; as counts unless told otherwise. */
  readonly amount?: (value: number) => string;
}

/** Shows progress on standard error: a bar on a terminal, a line now and then elsewhere, nothing with `--quiet`. */
export interface Progress {
  show(standing: Standing): void;
  /** Takes the bar away. Idempotent. */
  close(): void;
}

/** A line is written when the label changes, and else this often (milliseconds). */
const LINE_EVERY_MS = 5_000;

const BAR_WIDTH = 28;

function shareOf({ position, total }: Standing): number {
  return total === 0 ? 1 : position / total;
}

/** One line that says where things stand. */
export function standingLine(standing: Standing): string {
  const { label, position, total, rate, secondsLeft, amount = formatCount } = standing;
  const parts = [label, formatPercent(shareOf(standing))];
  parts.push(`${amount(position)} of ${amount(total)}`);
  if (rate !== null) parts.push(standing.amount ? `${amount(rate)}/s` : formatRate(rate));
  if (secondsLeft !== null) parts.push(`${formatDuration(secondsLeft)} left`);
  return parts.join('  ');
}

/** The bar itself, as wide as the share that is done. */
export function barOf(share: number, width = BAR_WIDTH): string {
  const full = Math.floor(Math.min(1, Math.max(0, share)) * width);
  return '█'.repeat(full) + '░'.repeat(width - full);
}

/** The bar and the line, cut so that it fits into one row of the terminal. */
export function barLine(standing: Standing, columns: number): string {
  const text = standingLine(standing);
  const room = columns - text.length - 2;
  const bar = room >= 8 ? `${barOf(shareOf(standing), Math.min(BAR_WIDTH, room))} ` : '';
  return (bar + text).slice(0, Math.max(0, columns - 1));
}

class BarProgress implements Progress {
  readonly #output: Output;
  readonly #bar: SingleBar;
  #standing: Standing | null = null;

  constructor(output: Output, stream: TextStream) {
    this.#output = output;
    this.#bar = new SingleBar({
      stream: stream as NodeJS.WriteStream,
      format: () => (this.#standing ? barLine(this.#standing, stream.columns ?? 80) : ''),
      clearOnComplete: true,
      hideCursor: true,
      fps: 12,
    });
  }

  show(standing: Standing): void {
    const fresh = this.#standing === null;
    this.#standing = standing;
    if (fresh) {
      this.#start();
      this.#output.overlay({ hide: () => this.#bar.stop(), show: () => this.#start() });
    } else {
      this.#bar.setTotal(standing.total);
      this.#bar.update(standing.position);
    }
  }

  #start(): void {
    this.#bar.start(this.#standing!.total, this.#standing!.position);
  }

  close(): void {
    if (this.#standing === null) return;
    this.#standing = null;
    this.#output.overlay(null);
    this.#bar.stop();
  }
}

class LineProgress implements Progress {
  readonly #output: Output;
  readonly #now: () => number;
  #label = '';
  #at = -Infinity;

  constructor(output: Output, now: () => number) {
    this.#output = output;
    this.#now = now;
  }

  show(standing: Standing): void {
    const now = this.#now();
    if (standing.label === this.#label && now - this.#at < LINE_EVERY_MS) return;
    this.#label = standing.label;
    this.#at = now;
    this.#output.note(standingLine(standing));
  }

  close(): void {
    this.#label = '';
  }
}

const SILENT: Progress = { show: () => undefined, close: () => undefined };

/** The way to show progress that suits the output. `now`: milliseconds that never go back. */
export function openProgress(output: Output, now: () => number): Progress {
  if (output.quiet) return SILENT;
  return output.stderr.isTTY === true
    ? new BarProgress(output, output.stderr)
    : new LineProgress(output, now);
}

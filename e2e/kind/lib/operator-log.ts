/** An action of the operator that failed again and again without success; times in milliseconds since 1970. */
export interface FailingSpan {
  /** The action, as the status names it. */
  readonly ref: string;
  readonly message: string;
  readonly from: number;
  /** The last attempt that is known to have failed. */
  readonly to: number;
}

/** When it became known that a HashCluster says this of itself; it holds until the next one. */
export interface ReadySample {
  readonly at: number;
  readonly isReady: boolean;
}

interface LogLine {
  readonly timestamp: string;
  readonly message: string;
  readonly cluster?: string;
  readonly object?: string;
  readonly error?: { readonly message?: string };
  readonly waitMs?: number;
}

/** An attempt comes after the wait that was logged; so long it may take until it has failed, in milliseconds. */
const ATTEMPT_MS = 40_000;

function parsed(text: string): LogLine[] {
  return text.split('\n').flatMap((line) => {
    // Node.js itself may write lines, too.
    if (!line.startsWith('{')) return [];
    return [JSON.parse(line) as LogLine];
  });
}

/** The action that a failed round was stopped by, and why. */
function failureOf(line: LogLine): { readonly ref: string; readonly message: string } | null {
  if (line.message !== 'A HashCluster was not reconciled') return null;
  const message = line.error?.message ?? '';
  const end = message.indexOf(': ');
  return { ref: end < 0 ? message : message.slice(0, end), message };
}

/**
 * Actions that failed, as the log of one operator's pod tells: from the first failure to the last one before it succeeded, or
 * before nothing more was heard of it.
 * @param cluster `namespace/name`
 */
export function failingSpans(log: string, cluster: string): FailingSpan[] {
  const ended: FailingSpan[] = [];
  const open = new Map<string, FailingSpan & { readonly nextBy: number }>();
  const end = (ref: string): void => {
    const { nextBy: _, ...span } = open.get(ref)!;
    ended.push(span);
    open.delete(ref);
  };
  for (const line of parsed(log).filter((each) => each.cluster === cluster)) {
    const at = Date.parse(line.timestamp);
    for (const [ref, { nextBy }] of open) if (at > nextBy) end(ref);
    const failure = failureOf(line);
    if (failure) {
      const nextBy = at + (line.waitMs ?? 0) + ATTEMPT_MS;
      open.set(failure.ref, { ...failure, from: open.get(failure.ref)?.from ?? at, to: at, nextBy });
    } else if (line.message === 'Carried out' && open.has(line.object ?? '')) end(line.object!);
  }
  for (const ref of [...open.keys()]) end(ref);
  return ended.sort((one, other) => one.from - other.from);
}

/** Where a HashCluster said that it is ready although an action had failed for longer than `afterMs`. */
export function readyWhileFailing(
  samples: readonly ReadySample[],
  spans: readonly FailingSpan[],
  afterMs: number,
): string[] {
  return spans.flatMap(({ ref, message, from, to }) => {
    const due = from + afterMs;
    const wrong = samples.find(({ at, isReady }, index) => {
      const until = samples[index + 1]?.at ?? Infinity;
      return isReady && at < to && until > due && to > due;
    });
    if (!wrong) return [];
    const seconds = Math.round((to - from) / 1_000);
    const said = new Date(Math.max(wrong.at, due)).toISOString();
    return [`Ready=True at ${said}, although ${ref} failed for ${seconds} s: ${message}`];
  });
}

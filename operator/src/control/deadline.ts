/** A signal of one piece of work, with a timer and the signals of those who may call it off. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Lets go of the timer and the others' signals. To be called whatever happens. */
  end(): void;
}

/** Aborts after `ms` milliseconds, or as soon as one of the signals does, with its reason. */
export function deadline(
  ms: number,
  says: string,
  ...signals: readonly (AbortSignal | undefined)[]
): Deadline {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new Error(`${says} within ${ms} ms`)), ms);
  const listeners = signals.flatMap((signal) => {
    if (!signal) return [];
    const onAbort = (): void => controller.abort(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort);
    return [(): void => signal.removeEventListener('abort', onAbort)];
  });
  const end = (): void => {
    clearTimeout(timer);
    for (const release of listeners) release();
  };
  return { signal: controller.signal, end };
}

/**
 * True when the work has settled within `ms` milliseconds, false when it had not. Rejects as the work does.
 * Late work goes on; what becomes of it is nobody's concern any more.
 */
export async function settlesWithin(work: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => {
      resolve(false);
    }, ms);
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** As the work does, unless the signal aborts first: then rejects with its reason, and late work is nobody's concern. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason as Error);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort);
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/**
 * As the work does, unless `ms` milliseconds pass first (never, when infinite): then rejects with what `late` makes.
 * Late work is nobody's concern.
 */
export async function answersWithin<T>(work: Promise<T>, ms: number, late: () => Error): Promise<T> {
  if (ms !== Infinity && !(await settlesWithin(work, ms))) throw late();
  return work;
}

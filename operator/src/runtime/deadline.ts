/**
 * True when the work has settled within `ms` milliseconds, false when it had not. Rejects as the work does.
 * Late work goes on; what becomes of it is nobody's concern any more.
 */
export async function settlesWithin(work: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** As the work does, unless `ms` milliseconds pass first: then rejects with what `late` makes. */
export async function answersWithin<T>(work: Promise<T>, ms: number, late: () => Error): Promise<T> {
  if (!(await settlesWithin(work, ms))) throw late();
  return work;
}

/** Waits for a condition, however long it takes: the test's own bound ends it. */
export async function until(condition: () => boolean | undefined): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

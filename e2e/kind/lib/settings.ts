/** The runs, from 1, of what could go well by chance: `RUNS` of them, one unless said otherwise. Throws on anything but a small number. */
export function runsOf(env: Readonly<Record<string, string | undefined>> = process.env): number[] {
  const text = env['RUNS'] ?? '1';
  const runs = Number(text);
  if (!Number.isInteger(runs) || runs < 1 || runs > 100)
    throw new RangeError(`RUNS must be a number from 1 to 100, not ${JSON.stringify(text)}`);
  return Array.from({ length: runs }, (_, index) => index + 1);
}

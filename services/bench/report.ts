import { availableParallelism, cpus } from 'node:os';

/** The line that every bench begins with: what it runs on. */
export function printMachine(): void {
  console.log(
    `${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, Node ${process.versions.node}`,
  );
}

/** The line that every bench ends with. */
export function printResult(
  bench: string,
  ratios: Readonly<Record<string, number>>,
  more: object = {},
): void {
  console.log(JSON.stringify({ bench, cpu: cpus()[0]?.model ?? 'unknown', ratios, ...more }));
}

/** 12.3 M, 4.56 k: three digits. */
export function si(value: number): string {
  for (const [limit, unit] of [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const) {
    if (value >= limit) return `${(value / limit).toPrecision(3)} ${unit}`;
  }
  return value.toPrecision(3);
}

/** The middle value of an odd number of them; the upper middle of an even one. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/** The value below which `share` (0 … 1) of the values lie: the nearest rank. NaN of nothing. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** Two digits behind the point are enough for a ratio. */
export function rounded(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}

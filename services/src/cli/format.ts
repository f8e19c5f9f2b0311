/** Numbers, times and texts as people read them. Pure. */

const SI_STEPS = [
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
] as const;

/** `1234567` → `1,234,567`. */
export function formatCount(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Three significant digits with an SI prefix: `12345678` → `12.3 M`; `0` → `0`. */
export function formatSi(value: number): string {
  // 999.5 and more would round to 1000, so it belongs to the next step.
  const step = SI_STEPS.find(([size]) => value >= size * 0.9995);
  if (!step) return value < 9.995 && !Number.isInteger(value) ? value.toFixed(1) : String(Math.round(value));
  const scaled = value / step[0];
  const places = scaled >= 99.95 ? 0 : scaled >= 9.995 ? 1 : 2;
  return `${scaled.toFixed(places)} ${step[1]}`;
}

/** Iterations per second: `12.3 M/s`; a dash when unknown. */
export function formatRate(rate: number | null): string {
  return rate === null ? '-' : `${formatSi(rate)}/s`;
}

/** Bytes in powers of 1,000: `1.50 MB`, `12 B`. */
export function formatBytes(bytes: number): string {
  const text = formatSi(bytes);
  return text.includes(' ') ? `${text}B` : `${text} B`;
}

/** A share (0 … 1) in percent, cut and not rounded, so that 100 % means the end: `0.9999` → `99.9 %`. */
export function formatPercent(share: number): string {
  const tenths = Math.floor(Math.min(1, Math.max(0, share)) * 1_000);
  return tenths === 1_000 ? '100 %' : `${(tenths / 10).toFixed(1)} %`;
}

const UNITS = [
  [86_400, 'd', 3_600, 'h'],
  [3_600, 'h', 60, 'min'],
  [60, 'min', 1, 's'],
] as const;

/** Seconds in at most two units: `0.85` → `850 ms`, `12.34` → `12.3 s`, `75` → `1 min 15 s`, `90000` → `1 d 1 h`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return 'unknown';
  if (seconds === 0) return '0 s';
  if (seconds < 0.0995) return `${(seconds * 1_000).toFixed(seconds < 0.00995 ? 1 : 0)} ms`;
  if (seconds < 0.9995) return `${Math.round(seconds * 1_000)} ms`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const [size, unit, smallSize, smallUnit] = UNITS.find(([least]) => whole >= least)!;
  const rest = Math.floor((whole % size) / smallSize);
  return rest === 0
    ? `${Math.floor(whole / size)} ${unit}`
    : `${Math.floor(whole / size)} ${unit} ${rest} ${smallUnit}`;
}

/** An ISO 8601 time as local date and time to the second; a dash when there is none; the text itself when it is no time. */
export function formatTime(iso: string | null): string {
  if (iso === null) return '-';
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return printable(iso);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** Text from elsewhere without control characters, so that it cannot drive the terminal. */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, '\ufffd');
}

/** The text with a full stop, unless it ends like a sentence already. */
export function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** Rows in columns two spaces apart; `right` names the columns that are numbers. No space at the end of a line. */
export function formatTable(rows: readonly (readonly string[])[], right: readonly number[] = []): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)));
  const align = (cell: string, i: number): string =>
    right.includes(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!);
  return rows.map((row) => row.map(align).join('  ').trimEnd()).join('\n');
}

/** Environment variables, as `process.env` has them. An empty value counts as none. */
export type Env = Readonly<Record<string, string | undefined>>;

/** The environment asks for something impossible. One line per variable that is wrong. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join('\n'));
    this.faults = faults;
  }
}

/** Bounds, both included, and what holds when the variable is not set. */
export interface NumberSetting {
  readonly default: number;
  readonly min: number;
  readonly max: number;
}

export interface ChoiceSetting<T extends string> {
  readonly default: T;
  readonly of: readonly T[];
}

export interface TextSetting<T extends string | null> {
  readonly default: T;
  /** What the value must match. */
  readonly pattern?: RegExp;
  /** What the pattern means, for the error: "a host name". */
  readonly expected?: string;
  /** Never shown in errors. */
  readonly secret?: boolean;
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1e3, m: 60e3, h: 3_600e3, d: 86_400e3 };
/** Durations as they are written; an error shows those that would be taken. */
const EXAMPLES = [
  ['500ms', 500],
  ['10s', 10_000],
  ['5m', 300_000],
  ['1h', 3_600_000],
  ['30d', 30 * 86_400_000],
] as const;
const TRUE = new Set(['true', '1', 'yes', 'on']);
const FALSE = new Set(['false', '0', 'no', 'off']);

/** Reads variables strictly. A wrong value is noted in `faults`, and the default stands in for it. */
export class EnvReader {
  readonly #env: Env;
  readonly #faults: string[] = [];

  constructor(env: Env) {
    this.#env = env;
  }

  /** What is wrong so far: `NAME: expected …, got "…"`. */
  get faults(): readonly string[] {
    return this.#faults;
  }

  /** Notes a fault that only the caller can see, such as two variables that contradict each other. */
  fault(name: string, text: string): void {
    this.#faults.push(`${name}: ${text}`);
  }

  /** Whether the variable has a value. */
  has(name: string): boolean {
    return this.#raw(name) !== null;
  }

  text<T extends string | null>(name: string, setting: TextSetting<T>): string | T {
    const raw = this.#raw(name);
    if (raw === null) return setting.default;
    if (!setting.pattern || setting.pattern.test(raw)) return raw;
    this.#expected(
      name,
      setting.expected ?? `text like ${setting.pattern.source}`,
      setting.secret ? null : raw,
    );
    return setting.default;
  }

  /** A whole decimal number: digits, with a minus sign at most. */
  integer(name: string, setting: NumberSetting): number {
    const raw = this.#raw(name);
    if (raw === null) return setting.default;
    const value = /^-?\d+$/.test(raw) ? Number(raw) : NaN;
    if (value >= setting.min && value <= setting.max && Number.isSafeInteger(value)) return value;
    this.#expected(name, `an integer from ${setting.min} to ${setting.max}`, raw);
    return setting.default;
  }

  /** true, yes, on, 1; false, no, off, 0. */
  boolean(name: string, standard: boolean): boolean {
    const raw = this.#raw(name);
    if (raw === null) return standard;
    const value = raw.toLowerCase();
    if (TRUE.has(value)) return true;
    if (FALSE.has(value)) return false;
    this.#expected(name, 'true or false', raw);
    return standard;
  }

  choice<T extends string>(name: string, setting: ChoiceSetting<T>): T {
    const raw = this.#raw(name);
    if (raw === null) return setting.default;
    const value = setting.of.find((candidate) => candidate === raw.toLowerCase());
    if (value !== undefined) return value;
    this.#expected(name, `one of ${setting.of.join(', ')}`, raw);
    return setting.default;
  }

  /** Texts between commas; none when the variable is not set. */
  list(name: string): string[] {
    const texts = (this.#raw(name) ?? '').split(',');
    return texts.map((text) => text.trim()).filter((text) => text !== '');
  }

  /** A duration with its unit, such as `500ms`, `2.5s`, `5m`, `1h`, `30d`; in milliseconds, as are the bounds. */
  durationMs(name: string, setting: NumberSetting): number {
    const raw = this.#raw(name);
    if (raw === null) return setting.default;
    const [, digits, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(raw) ?? [];
    const value = digits && unit ? Math.round(Number(digits) * UNIT_MS[unit]!) : NaN;
    if (value >= setting.min && value <= setting.max) return value;
    const range = `from ${formatMs(setting.min)} to ${formatMs(setting.max)}`;
    const examples = EXAMPLES.filter(([, ms]) => ms >= setting.min && ms <= setting.max).map(
      ([text]) => text,
    );
    this.#expected(
      name,
      `a duration ${range}${examples.length > 0 ? `, such as ${either(examples)}` : ''}`,
      raw,
    );
    return setting.default;
  }

  #raw(name: string): string | null {
    const raw = this.#env[name];
    return raw === undefined || raw === '' ? null : raw;
  }

  #expected(name: string, expected: string, got: string | null): void {
    this.fault(
      name,
      `expected ${expected}${got === null ? '' : `, got ${JSON.stringify(got.slice(0, 100))}`}`,
    );
  }
}

function either(texts: readonly string[]): string {
  return texts.length < 2 ? texts.join('') : `${texts.slice(0, -1).join(', ')} or ${texts.at(-1)}`;
}

/** The largest unit in which the duration is a whole number. */
function formatMs(ms: number): string {
  const units = Object.entries(UNIT_MS).reverse();
  const [unit, size] = units.find(([, candidate]) => ms >= candidate && ms % candidate === 0) ?? ['ms', 1];
  return `${ms / size}${unit}`;
}

/**
 * Reads settings from an environment. Throws one `SettingsError` that names every variable that is wrong.
 * ```
 * const settings = readSettings(env, (read) => ({ port: read.integer('PORT', { default: 5000, min: 0, max: 65535 }) }));
 * ```
 */
export function readSettings<T>(env: Env, read: (reader: EnvReader) => T): T {
  const reader = new EnvReader(env);
  const settings = read(reader);
  if (reader.faults.length > 0) throw new SettingsError(reader.faults);
  return settings;
}

/**
 * Reads several groups of settings. Throws one `SettingsError` that names what is wrong in all of them.
 * ```
 * const { log, served } = readTogether({ log: () => readSettings(env, logs), served: () => endpointSettings(env) });
 * ```
 */
export function readTogether<T extends Readonly<Record<string, () => unknown>>>(
  groups: T,
): { readonly [K in keyof T]: ReturnType<T[K]> } {
  const faults: string[] = [];
  const read: Record<string, unknown> = {};
  for (const [name, group] of Object.entries(groups)) {
    try {
      read[name] = group();
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      faults.push(...error.faults);
    }
  }
  if (faults.length > 0) throw new SettingsError([...new Set(faults)]);
  return read as { readonly [K in keyof T]: ReturnType<T[K]> };
}

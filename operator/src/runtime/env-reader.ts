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

interface TextSetting<T extends string | null> {
  readonly default: T;
  /** What the value must match, and what that means in words. */
  readonly pattern?: RegExp;
  readonly expected?: string;
}

/** Reads variables strictly. A wrong value is noted, and the default stands in for it. */
export class EnvReader {
  readonly #env: Env;
  readonly faults: string[] = [];

  constructor(env: Env) {
    this.#env = env;
  }

  text<T extends string | null>(name: string, setting: TextSetting<T>): string | T {
    const raw = this.#env[name] || null;
    if (raw === null) return setting.default;
    if (!setting.pattern || setting.pattern.test(raw)) return raw;
    this.#expected(name, setting.expected ?? `text like ${setting.pattern.source}`, raw);
    return setting.default;
  }

  /** A text without which nothing goes. */
  required(name: string, setting: { readonly pattern: RegExp; readonly expected: string }): string {
    if (!this.#env[name]) this.faults.push(`${name}: is needed: ${setting.expected}`);
    return this.text(name, { ...setting, default: '' });
  }

  /** A whole decimal number. Both bounds are included. */
  integer(
    name: string,
    range: { readonly default: number; readonly min: number; readonly max: number },
  ): number {
    const raw = this.#env[name] || null;
    if (raw === null) return range.default;
    const value = /^-?\d{1,15}$/.test(raw) ? Number(raw) : NaN;
    if (value >= range.min && value <= range.max) return value;
    this.#expected(name, `an integer from ${range.min} to ${range.max}`, raw);
    return range.default;
  }

  choice<T extends string>(name: string, setting: { readonly default: T; readonly of: readonly T[] }): T {
    const raw = this.#env[name] || null;
    if (raw === null) return setting.default;
    const value = setting.of.find((candidate) => candidate === raw.toLowerCase());
    if (value !== undefined) return value;
    this.#expected(name, `one of ${setting.of.join(', ')}`, raw);
    return setting.default;
  }

  #expected(name: string, expected: string, got: string): void {
    this.faults.push(`${name}: expected ${expected}, got ${JSON.stringify(got.slice(0, 100))}`);
  }
}

/** Reads settings from an environment. Throws one `SettingsError` that names every variable that is wrong. */
export function readSettings<T>(env: Env, read: (reader: EnvReader) => T): T {
  const reader = new EnvReader(env);
  const settings = read(reader);
  if (reader.faults.length > 0) throw new SettingsError(reader.faults);
  return settings;
}

type Env = Readonly<Record<string, string | undefined>>;

/** The runs, from 1, of what could go well by chance: `RUNS` of them, one unless said otherwise. Throws on anything but a small number. */
export function runsOf(env: Env = process.env): number[] {
  const runs = whole(env, 'RUNS', { least: 1, most: 100, unless: 1 });
  return Array.from({ length: runs }, (_, index) => index + 1);
}

/** A random walk: how many steps (`STEPS`), and what they are drawn from (`SEED`). Throws on anything else. */
export function walkOf(env: Env = process.env): { readonly steps: number; readonly seed: string } {
  const seed = env['SEED'] ?? SEED;
  if (!/^\w{1,40}$/.test(seed))
    throw new RangeError(`SEED must be a short word, not ${JSON.stringify(seed)}`);
  return { steps: whole(env, 'STEPS', { least: 1, most: 500, unless: 5 }), seed };
}

/** Five steps from here: a lost volume, fewer members over kept volumes, a lost set, more members, a lost majority. */
const SEED = '2707';

interface Bounds {
  readonly least: number;
  readonly most: number;
  readonly unless: number;
}

function whole(env: Env, name: string, { least, most, unless }: Bounds): number {
  const text = env[name] ?? String(unless);
  const number = Number(text);
  if (!Number.isInteger(number) || number < least || number > most)
    throw new RangeError(`${name} must be a number from ${least} to ${most}, not ${JSON.stringify(text)}`);
  return number;
}

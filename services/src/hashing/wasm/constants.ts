const MASK_64 = (1n << 64n) - 1n;

/**
 * The constants of SHA-512: the first 64 bits of the fractional parts of the square roots of the first 8 primes
 * (the initial value) and of the cube roots of the first 80 (one per round).
 * Source: NIST FIPS 180-4, §4.2.3 and §5.3.5.
 */
export interface Sha512Constants {
  readonly initial: readonly bigint[];
  readonly rounds: readonly bigint[];
}

export function sha512Constants(): Sha512Constants {
  const primes = firstPrimes(80).map(BigInt);
  return {
    initial: primes.slice(0, 8).map((prime) => root(prime << 128n, 2n) & MASK_64),
    rounds: primes.map((prime) => root(prime << 192n, 3n) & MASK_64),
  };
}

function firstPrimes(count: number): number[] {
  const primes: number[] = [];
  for (let n = 2; primes.length < count; n++) if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  return primes;
}

/** The whole part of the `degree`-th root. Newton's method from above: it falls until it is there. */
function root(value: bigint, degree: bigint): bigint {
  let guess = 1n << (BigInt(value.toString(2).length) / degree + 1n);
  for (;;) {
    const next = ((degree - 1n) * guess + value / guess ** (degree - 1n)) / degree;
    if (next >= guess) return guess;
    guess = next;
  }
}

const FACTORS: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/**
 * An amount as Kubernetes writes it: `500m` is 0.5, `1Gi` is 1,073,741,824, `1e3` is 1,000. Null: it is not one.
 * Source: Kubernetes API, `resource.Quantity`.
 */
export function parseQuantity(quantity: string | number | undefined): number | null {
  if (typeof quantity === 'number') return quantity;
  const parts = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)$/.exec(
    quantity ?? '',
  );
  if (!parts) return null;
  const [, number = '', exponent = '', suffix = ''] = parts;
  return Number(number + exponent) * FACTORS[suffix]!;
}

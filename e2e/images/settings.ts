import { IMAGES } from '../kind/lib/cluster.ts';

/** The images that are looked at: `SERVICES_IMAGE` and `OPERATOR_IMAGE`, or those that `make e2e` builds. */
export function imagesToTest(env: Readonly<Record<string, string | undefined>> = process.env): {
  readonly services: string;
  readonly operator: string;
} {
  return {
    services: env['SERVICES_IMAGE'] ?? IMAGES.services,
    operator: env['OPERATOR_IMAGE'] ?? IMAGES.operator,
  };
}

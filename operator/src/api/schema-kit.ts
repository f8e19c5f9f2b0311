import { z } from 'zod';

/** A rule in CEL that the API server holds an object to. Source: Kubernetes, `x-kubernetes-validations`. */
export interface CelRule {
  readonly rule: string;
  readonly message: string;
}

/** Notes for the API server, as `z.meta` takes them: a description, rules, and how lists are merged. */
export function about(description: string, ...rules: readonly CelRule[]): Record<string, unknown> {
  return { description, ...(rules.length > 0 && { 'x-kubernetes-validations': rules }) };
}

/** For lists: merged entry by entry under server-side apply, by these keys. */
export function mapListOf(...keys: readonly string[]): Record<string, unknown> {
  return { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': keys };
}

/** A DNS label or subdomain: what most names in Kubernetes are. */
export const NAME_PATTERN = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;

/** Source: Kubernetes, `resource.Quantity`; without a sign, for nothing here can be negative. */
export const QUANTITY_PATTERN = /^[0-9]+(\.[0-9]+)?([eE][0-9]+|m|k|[KMGTPE]i|[MGTPE])?$/;

/** The name of an object in the same namespace. */
export function name(description: string): z.ZodString {
  return z.string().min(1).max(253).regex(NAME_PATTERN).meta({ description });
}

/** Text of a bounded length: without a bound the API server cannot bound the cost of rules. */
export function text(description: string, max: number, pattern?: RegExp): z.ZodString {
  const bounded = z.string().min(1).max(max);
  return (pattern ? bounded.regex(pattern) : bounded).meta({ description });
}

/** A whole number within bounds, both included. */
export function count(description: string, min: number, max: number): z.ZodInt {
  return z.int().min(min).max(max).meta({ description });
}

/** An amount of something: `500m`, `2`, `1Gi`. A bare number may be written as a number. */
export function quantity(description: string): z.ZodUnion<readonly [z.ZodInt, z.ZodString]> {
  return z.union([z.int().min(0), z.string().max(32).regex(QUANTITY_PATTERN)]).meta({
    description,
    'x-kubernetes-int-or-string': true,
    pattern: QUANTITY_PATTERN.source,
    maxLength: 32,
    minimum: 0,
  });
}

/** An amount of bytes on disk; always text, so that rules can compare it. */
export function storage(description: string): z.ZodString {
  return z
    .string()
    .max(32)
    .regex(/^[1-9][0-9]*(Mi|Gi|Ti)$/)
    .meta({ description });
}

/** A part of Kubernetes' own API that is handed on as it is; the API server judges it where it ends up. */
export function raw(description: string): z.ZodRecord<z.ZodString, z.ZodUnknown> {
  return z
    .record(z.string(), z.unknown())
    .meta({ description, 'x-kubernetes-preserve-unknown-fields': true });
}

/** What users add to pods. */
export function podMetadata(): Readonly<
  Record<'podLabels' | 'podAnnotations', z.ZodOptional<z.ZodRecord<z.ZodString, z.ZodString>>>
> {
  return {
    podLabels: texts('Labels of the pods; those of the operator are stronger.', 63).optional(),
    podAnnotations: texts('Annotations of the pods; those of the operator are stronger.', 4096).optional(),
  };
}

/** Text by key. */
export function texts(description: string, max = 512): z.ZodRecord<z.ZodString, z.ZodString> {
  return z.record(z.string(), z.string().max(max)).meta({ description, maxProperties: 64 });
}

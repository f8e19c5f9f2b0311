import { z } from 'zod';

/** A JSON Schema, or a part of one. */
export type Schema = { readonly [key: string]: unknown };

/** What JSON Schema says and a structural schema may not, or need not. */
const DROPPED = new Set(['$schema', 'propertyNames']);

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function mapValues(value: unknown): unknown {
  if (!isSchema(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, structural(item as Schema)]));
}

function child(key: string, value: unknown): unknown {
  if (key === 'properties') return mapValues(value);
  if (key === 'items' || key === 'additionalProperties') return isSchema(value) ? structural(value) : value;
  return value;
}

/** Kubernetes has its own way of saying "a number or text"; only such unions exist here. */
function intOrString({ anyOf: _union, ...rest }: Schema): Schema {
  return { ...rest, anyOf: [{ type: 'integer' }, { type: 'string' }] };
}

/** A JSON Schema as a structural schema. Source: Kubernetes, "Specifying a structural schema". */
export function structural(schema: Schema): Schema {
  if (schema['x-kubernetes-int-or-string'] === true) return intOrString(schema);
  const preserved = schema['x-kubernetes-preserve-unknown-fields'] === true;
  const kept = Object.entries(schema).filter(
    ([key]) => !DROPPED.has(key) && !(preserved && key === 'additionalProperties'),
  );
  return Object.fromEntries(kept.map(([key, value]) => [key, child(key, value)]));
}

/** A value with the defaults of the fields that it lacks, as the API server fills them in. */
export function withDefaults(schema: Schema, value: unknown): unknown {
  if (Array.isArray(value) && isSchema(schema['items'])) {
    const items = schema['items'];
    return value.map((item) => withDefaults(items, item));
  }
  if (!isSchema(value) || !isSchema(schema['properties'])) return value;
  const filled: Record<string, unknown> = { ...value };
  for (const [key, property] of Object.entries(schema['properties']) as [string, Schema][]) {
    if (filled[key] === undefined && property['default'] !== undefined) filled[key] = property['default'];
    if (filled[key] !== undefined) filled[key] = withDefaults(property, filled[key]);
  }
  return filled;
}

/** The API server holds a default to the rules before it has filled in the defaults inside of it. */
function wholeDefaults(schema: Schema): Schema {
  const { properties } = schema;
  const inner = isSchema(properties)
    ? {
        ...schema,
        properties: Object.fromEntries(
          Object.entries(properties).map(([key, value]) => [key, wholeDefaults(value as Schema)]),
        ),
      }
    : schema;
  return inner['default'] === undefined
    ? inner
    : { ...inner, default: withDefaults(inner, inner['default']) };
}

/** The structural schema of what people write: defaults are for the API server to fill in. */
export function structuralOf(schema: z.ZodType): Schema {
  return wholeDefaults(structural(z.toJSONSchema(schema, { io: 'input' })));
}

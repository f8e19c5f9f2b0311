import type { CopiedKey, SecretPatch } from '../plan/action.ts';
import type { Writer } from './writer.ts';

/** Reads one value of a Secret. Rejects when it is not there. */
export type ReadSecret = (namespace: string, name: string, key: string) => Promise<string>;

interface Source {
  readonly namespace: string;
  /** The name of the Secret. */
  readonly from: string;
  readonly keys: readonly CopiedKey[];
}

/** The `data` of a Secret with values of another one. Rejects when one of them is not there. */
export async function copiedData(
  readSecret: ReadSecret,
  { namespace, from, keys }: Source,
): Promise<Record<string, string>> {
  const entries = await Promise.all(
    keys.map(async (key): Promise<[string, string]> => {
      const value = await readSecret(namespace, from, key.from);
      return [key.to, Buffer.from(value).toString('base64')];
    }),
  );
  return Object.fromEntries(entries);
}

/**
 * Values of one Secret are given to a server, and then written into another one, if that is still the one that was seen.
 * Both get the very same values, also when somebody changes them meanwhile. `give` is told the values by their keys there.
 */
export async function giveAndPatch(
  { writer, readSecret }: { readonly writer: Writer; readonly readSecret: ReadSecret },
  { ref, from, keys, annotations }: SecretPatch,
  give: (values: Readonly<Record<string, string>>) => Promise<void>,
): Promise<void> {
  const data = await copiedData(readSecret, { namespace: ref.namespace, from, keys });
  const values = keys.map(({ from: key, to }) => [key, Buffer.from(data[to]!, 'base64').toString()]);
  await give(Object.fromEntries(values) as Record<string, string>);
  await writer.merge(ref, { data, ...(annotations && { metadata: { annotations } }) });
}

/** Writes values of one Secret into another one, if that is still the one that was seen. */
export async function patchSecret(writer: Writer, readSecret: ReadSecret, patch: SecretPatch): Promise<void> {
  const { ref, from, keys, annotations } = patch;
  const data = await copiedData(readSecret, { namespace: ref.namespace, from, keys });
  await writer.merge(ref, { data, ...(annotations && { metadata: { annotations } }) });
}

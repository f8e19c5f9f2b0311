import { readFile, readdir } from 'node:fs/promises';
import { parseAllDocuments } from 'yaml';
import type { Transport } from '../control/transport.ts';
import type { KubeObject } from '../plan/kube.ts';

const FOLDER = new URL('../../../crds/', import.meta.url);
const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const ESTABLISHED_MS = 60_000;

/** The objects in the YAML files of `crds/`, or of a folder in it, by file. */
export async function readManifests(folder = ''): Promise<ReadonlyMap<string, readonly KubeObject[]>> {
  const place = new URL(folder === '' ? '.' : `${folder}/`, FOLDER);
  const files = (await readdir(place)).filter((file) => file.endsWith('.yaml')).toSorted();
  const read = async (file: string): Promise<[string, KubeObject[]]> => {
    const documents = parseAllDocuments(await readFile(new URL(file, place), 'utf8'));
    return [file, documents.map((document) => document.toJS() as KubeObject)];
  };
  return new Map(await Promise.all(files.map(read)));
}

/** Applies the CRDs as people would, and waits until the API server serves them. */
export async function installCrds(transport: Transport): Promise<void> {
  const crds = [...(await readManifests()).values()].flat();
  for (const crd of crds) {
    const path = `${CRDS}/${crd.metadata.name}`;
    await transport.request({
      ...{ method: 'PATCH', path, body: crd, contentType: 'application/apply-patch+yaml' },
      query: { fieldManager: 'test', force: true },
    });
    await whenEstablished(transport, path);
  }
}

interface Crd {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

async function whenEstablished(transport: Transport, path: string): Promise<void> {
  const end = Date.now() + ESTABLISHED_MS;
  while (Date.now() < end) {
    const { status } = await transport.request<Crd>({ method: 'GET', path });
    if (status?.conditions?.some(({ type, status: is }) => type === 'Established' && is === 'True')) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${path} was not established within ${ESTABLISHED_MS} ms`);
}

// Runs within an image of ours, as /app/inside.ts, on the Node.js that is there: node /app/inside.ts packages|surplus|load|kernels
import { globSync, readFileSync } from 'node:fs';

const ADDON = '/app/services/native/build/hashcluster.node';
const LOADER: string = '/app/services/dist/hashing/native-addon.js';

/** `name@version` of every package. */
function packages(): string[] {
  const files = globSync('/app/**/node_modules/{*,@*/*}/package.json');
  const read = files.map((file) => JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>);
  return read.map(({ name, version }) => `${name!}@${version!}`);
}

/** Files that nothing here reads. */
function surplus(): string[] {
  const files = globSync('/app/**/*.{ts,mts,cts,map,bare,c,h,test.js}');
  return files.filter((file) => file !== import.meta.filename);
}

/** Loads all that our own code imports from packages, at once or later. Returns what that was; rejects when something is missing. */
async function load(): Promise<string[]> {
  const names = new Set<string>();
  for (const file of globSync('/app/{services,operator}/dist/**/*.js'))
    for (const [, name] of readFileSync(file, 'utf8').matchAll(
      /(?:\bfrom |\bimport\(|^import )'([^.'][^']*)'/gm,
    ))
      names.add(name!);
  for (const name of names) await import(name);
  return [...names];
}

/** The kernels that were compiled, whether this processor has what they need or not; and those that run. */
async function kernels(): Promise<{ built: string[]; running: string[] }> {
  const code = readFileSync(ADDON, 'latin1');
  const built = ['avx512', 'avx512vl', 'avx2', 'scalar', 'portable'].filter((name) =>
    code.includes(`${name}\0`),
  );
  const { loadNativeAddon } = (await import(LOADER)) as { loadNativeAddon: () => { backends(): string[] } };
  return { built, running: loadNativeAddon().backends() };
}

const answers = { packages, surplus, load, kernels };
console.log(JSON.stringify(await answers[process.argv[2] as keyof typeof answers]()));

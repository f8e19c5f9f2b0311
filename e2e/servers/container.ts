import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { until } from '../lib/client.ts';
import { docker, dockerSync, haveImage } from './docker.ts';

/** This working copy of the repository: what one copy starts, another does not touch. */
export const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));

/** The set that a container belongs to; the process and the working copy that it was made for. */
export const LABELS = {
  set: 'hashcluster.test',
  checkout: 'hashcluster.checkout',
  owner: 'hashcluster.owner',
} as const;

const LOG_LINES = 30;
/** Long enough for a clean stop of a database on a busy machine, in seconds. */
const STOP_SECONDS = 60;
/** How often it is looked whether one that does not answer yet has ended, in milliseconds: each look is a process. */
const LOOK_MS = 1_000;

/** What is run; the same for the images of the vendors and for stand-ins that have only the programs. */
export interface ContainerSpec {
  readonly name: string;
  readonly set: string;
  /** The id of the process that removes it; of one that outlives its process, the file that describes it. */
  readonly owner: string;
  readonly image: string;
  /** `uid:gid`. */
  readonly user: string;
  readonly entrypoint: string;
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Where it keeps data: in a volume that goes with the container, or in memory, where a restart empties it. */
  readonly data: { readonly path: string; readonly inMemory: boolean };
}

/** A name that no other set has, made of the one given. */
export function newSetName(name: string): string {
  return `${name}-${randomBytes(3).toString('hex')}`;
}

/** One container on the host's network. Whatever it is asked to be and already is, it stays. */
export class Container {
  readonly #spec: ContainerSpec;

  constructor(spec: ContainerSpec) {
    this.#spec = spec;
  }

  get name(): string {
    return this.#spec.name;
  }

  /** Creates and starts it; its data are empty. */
  async run(): Promise<void> {
    await haveImage(this.#spec.image);
    await docker(['run', '--detach', ...flagsOf(this.#spec), ...this.#spec.command]);
  }

  /** Starts it again, with the data that it had. */
  async start(): Promise<void> {
    await docker(['start', this.name]);
  }

  async stop(): Promise<void> {
    await docker(['stop', '--time', String(STOP_SECONDS), this.name]);
  }

  /** SIGKILL. Resolves when it is gone. */
  async kill(): Promise<void> {
    await docker(['kill', '--signal', 'KILL', this.name]).catch(unless('is not running'));
    await docker(['wait', this.name]);
  }

  /** Stands still, with its connections open, until `unpause`. */
  async pause(): Promise<void> {
    await docker(['pause', this.name]).catch(unless('already paused'));
  }

  async unpause(): Promise<void> {
    await docker(['unpause', this.name]).catch(unless('is not paused'));
  }

  /** Removes it with its data. */
  async remove(): Promise<void> {
    await removeContainers([this.name]);
  }

  /**
   * Waits until a server in it answers. Rejects after `limitMs`; soon, with the end of its log, when it has ended.
   */
  async answers(limitMs: number, probe: () => Promise<boolean>): Promise<void> {
    let lookedAt = performance.now();
    await until(`${this.name} answering`, limitMs, async () => {
      if (await probe()) return true;
      if (performance.now() - lookedAt < LOOK_MS) return false;
      lookedAt = performance.now();
      const running = await docker(['inspect', '--format', '{{.State.Running}}', this.name]);
      if (running !== 'true') throw new Error(`${this.name} has ended:\n${await this.log()}`);
      return false;
    });
  }

  /** The last lines of its log, for an error message. */
  async log(): Promise<string> {
    return docker(['logs', '--tail', String(LOG_LINES), this.name]).catch(String);
  }
}

function flagsOf({ name, set, owner, image, user, entrypoint, env = {}, data }: ContainerSpec): string[] {
  // A volume takes the owner of the folder that it covers; memory has to be told.
  const [uid, gid] = user.split(':');
  const storage = data.inMemory ? ['--tmpfs', `${data.path}:uid=${uid},gid=${gid}`] : ['--volume', data.path];
  const labels = { [LABELS.set]: set, [LABELS.checkout]: CHECKOUT, [LABELS.owner]: owner };
  return [
    ...['--name', name, '--network', 'host', '--user', user, '--entrypoint', entrypoint],
    ...Object.entries(labels).flatMap(([key, value]) => ['--label', `${key}=${value}`]),
    ...Object.entries(env).flatMap(([key, value]) => ['--env', `${key}=${value}`]),
    ...['--log-opt', 'max-size=8m'],
    ...storage,
    image,
  ];
}

/** Removes containers and their data; those that are gone already count as removed. */
export async function removeContainers(names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  await docker(['rm', '--force', '--volumes', ...names]).catch(unless('No such container'));
}

/** Removes the containers of this process when it exits, by a signal for instance: then nobody closes them one by one. */
export function removeContainersAtExit(): void {
  process.once('exit', () => {
    const own = ['--filter', `label=${LABELS.checkout}=${CHECKOUT}`];
    const filter = [...own, '--filter', `label=${LABELS.owner}=${process.pid}`];
    const names = dockerSync(['ps', '--all', '--quiet', ...filter]).split('\n');
    if (names[0] !== '') dockerSync(['rm', '--force', '--volumes', ...names]);
  });
}

/** The containers that this working copy has made, running or not, and their owners. */
export async function containersHere(): Promise<{ readonly name: string; readonly owner: string }[]> {
  const filter = ['--filter', `label=${LABELS.checkout}=${CHECKOUT}`];
  const lines = await docker([
    'ps',
    '--all',
    ...filter,
    '--format',
    `{{.Names}}\t{{.Label "${LABELS.owner}"}}`,
  ]);
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [name = '', owner = ''] = line.split('\t');
      return { name, owner };
    });
}

function unless(known: string): (error: Error) => void {
  return (error) => {
    if (!error.message.includes(known)) throw error;
  };
}

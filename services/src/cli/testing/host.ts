import { Readable } from 'node:stream';
import type { Host } from '../host.ts';
import { cliSettings } from '../settings.ts';
import type { StartEmbedded } from '../../roles/running.ts';
import { Transcript } from './text-stream.ts';

export interface TestHostOptions {
  readonly server?: string;
  /** Both output streams are terminals. */
  readonly terminal?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly startEmbedded?: StartEmbedded;
  readonly startEndpoint?: Host['startEndpoint'];
  readonly startWorker?: Host['startWorker'];
}

export interface TestHost extends Host {
  readonly stdout: Transcript;
  readonly stderr: Transcript;
  readonly interruption: AbortController;
}

const noService = (): Promise<never> => Promise.reject(new Error('This test starts no service'));

/** A process around the command line that a test can look into. */
export function testHost(options: TestHostOptions = {}): TestHost {
  const {
    server,
    terminal = false,
    env = {},
    input,
    startEmbedded = noService,
    startEndpoint = noService,
    startWorker = noService,
  } = options;
  const interruption = new AbortController();
  const address: Record<string, string> = server === undefined ? {} : { HASHCLUSTER_SERVER: server };
  return {
    stdin: Readable.from(input === undefined ? [] : [Buffer.from(input)]),
    stdout: new Transcript(terminal, 100),
    stderr: new Transcript(terminal, 100),
    settings: cliSettings({ ...address, ...env }, '/nonexistent'),
    version: '1.2.3',
    signal: interruption.signal,
    ...{ startEmbedded, startEndpoint, startWorker },
    interruption,
  };
}

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Client, until } from './lib/client.ts';
import { freePorts } from './servers/ports.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Building the image fetches packages. */
const LIMIT_MS = 900_000;
const MAX_OUTPUT = 16 << 20;

/** The plugin of Docker, or the older program. */
function composeCommand(): readonly string[] | null {
  const commands = [['docker', 'compose'], ['docker-compose']];
  const works = ([file = '', ...args]: string[]) => spawnSync(file, [...args, 'version']).status === 0;
  const answers = spawnSync('docker', ['version'], { timeout: 10_000 }).status === 0;
  return answers ? (commands.find(works) ?? null) : null;
}

const command = composeCommand();
const where = command ? describe : describe.skip;

where('compose.yaml', () => {
  const project = `hashcluster-test-compose-${process.pid}`;
  let environment: Record<string, string>;
  let clients: readonly Client[];

  /** Runs Compose and gives what it printed; throws, with what it said, when it fails. */
  function compose(...args: string[]): string {
    const [file = '', ...first] = command ?? [];
    return execFileSync(file, [...first, '--project-name', project, ...args], {
      cwd: ROOT,
      env: { ...process.env, ...environment },
      stdio: 'pipe',
      encoding: 'utf8',
      timeout: LIMIT_MS,
      maxBuffer: MAX_OUTPUT,
    });
  }

  beforeAll(async () => {
    const [one, two] = await freePorts(2);
    environment = {
      ENDPOINT_1_PORT: String(one),
      ENDPOINT_2_PORT: String(two),
      HASHCLUSTER_IMAGE: 'hashcluster-test-compose:latest',
      // The builder that every Docker has.
      DOCKER_BUILDKIT: '0',
      COMPOSE_DOCKER_CLI_BUILD: '0',
    };
    clients = [one, two].map((port) => new Client(`http://127.0.0.1:${port!}`));
    compose('build', 'endpoint-1');
    compose('up', '--detach');
  }, LIMIT_MS);
  afterAll(() => {
    compose('kill');
    compose('down', '--volumes');
  }, LIMIT_MS);

  test(
    'brings up a cluster: a job that one endpoint takes is done by a worker and answered by the other (needs docker compose)',
    async () => {
      const answer = ([first, second]: readonly Client[]) =>
        Promise.all([first!.cluster(), second!.cluster()]);
      await until('both endpoints', LIMIT_MS, () => answer(clients).then(Boolean, () => false));
      const [first, second] = clients;
      const { id } = await first!.submit({ data: 'compose', iterations: 2_000_000 });
      await until('the job', LIMIT_MS, async () => (await second!.get(id, 10)).state === 'done');
      expect(await second!.get(id)).toMatchObject({ state: 'done', position: 2_000_000 });
    },
    LIMIT_MS,
  );

  test(
    'keeps what was done when all of it is killed at once and brought up again (needs docker compose)',
    async () => {
      const { id, digest } = await clients[0]!.submit({ data: 'kept', iterations: 3 }, 30);
      expect(digest).toMatch(/^[0-9a-f]{128}$/);
      compose('kill');
      compose('up', '--detach');
      const read = () => clients[1]!.get(id).catch(() => null);
      await until('the result', LIMIT_MS, async () => (await read()) !== null);
      expect(await read()).toMatchObject({ state: 'done', digest });
    },
    LIMIT_MS,
  );
});

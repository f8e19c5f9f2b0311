import { sharedServer } from '../src/runtime/testing/shared-server.ts';

/** The address of servers on this machine; they are started when they do not run. Rejects with the reason when they cannot. */
export async function needServer(name: 'mongodb' | 'mongodb3' | 'kafka'): Promise<string> {
  const server = await sharedServer(name);
  if ('skipped' in server) throw new Error(`no ${name}: ${server.skipped}`);
  return server.address;
}

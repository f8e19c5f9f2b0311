import { sharedServer } from '../../../runtime/testing/shared-server.ts';

/** The broker that tests share: its address, or why there is none. */
export interface SharedKafka {
  readonly broker: string | null;
  readonly skipped: string | null;
}

/** Asks for the shared broker; it is started where it is not running. */
export async function sharedKafka(): Promise<SharedKafka> {
  const server = await sharedServer('kafka');
  return 'skipped' in server
    ? { broker: null, skipped: server.skipped }
    : { broker: server.address, skipped: null };
}

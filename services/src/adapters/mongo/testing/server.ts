import { sharedServer } from '../../../runtime/testing/shared-server.ts';

/** A replica set that all tests share, or why there is none. */
export type Server = { readonly uri: string } | { readonly skipped: string };

/** One member, or three. */
export async function needMongo(name: 'mongodb' | 'mongodb3' = 'mongodb'): Promise<Server> {
  const server = await sharedServer(name);
  return 'skipped' in server ? server : { uri: server.address };
}

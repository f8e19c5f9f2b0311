import { openStoreOn } from './kit.ts';

/** Opens a store and keeps it until it is killed. */
await openStoreOn(process.argv[2]!);
process.stdout.write('open\n');
setInterval(() => undefined, 60_000);

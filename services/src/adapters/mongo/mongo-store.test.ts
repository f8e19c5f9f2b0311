import { test } from '@jest/globals';
import { describeJobStore } from '../../ports/job-store-conformance.ts';
import { openFrozen } from './testing/kit.ts';
import { needMongo } from './testing/server.ts';

const server = await needMongo();
const abilities = { time: true, reopen: true, histories: 25 };

if ('uri' in server) {
  describeJobStore('the store on MongoDB', (options) => openFrozen(server.uri, options), abilities);
} else {
  test.skip(`the store on MongoDB passes the suite (needs Docker: ${server.skipped})`, () => undefined);
}

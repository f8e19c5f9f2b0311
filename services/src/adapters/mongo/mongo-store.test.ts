import { describe } from '@jest/globals';
import { describeJobStore } from '../../ports/job-store-conformance.ts';
import { openFrozen } from './testing/kit.ts';
import { needMongo } from './testing/server.ts';

const server = await needMongo();
const abilities = { time: true, reopen: true, histories: 25 };

if ('uri' in server) {
  describeJobStore('the store on MongoDB', (options) => openFrozen(server.uri, options), abilities);
} else {
  describe.skip('the store on MongoDB (needs Docker)', () => undefined);
}

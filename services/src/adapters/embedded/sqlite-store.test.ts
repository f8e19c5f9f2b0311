import { describeJobStore } from '../../ports/job-store-conformance.ts';
import { openFakeTimed } from './testing/kit.ts';

describeJobStore('the store on SQLite', openFakeTimed, { time: true, reopen: true, histories: 25 });

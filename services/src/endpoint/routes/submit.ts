import { isProblem } from '../body/item-parser.ts';
import { hashBody } from '../body/hash-body.ts';
import type { Core } from '../core.ts';
import type { Handler } from '../http/exchange.ts';
import { checkedQuery, checkNoQuery } from '../http/query.ts';
import { jobFacts } from '../../jobs/id.ts';
import { isForm } from '../http/media-type.ts';
import { ProblemError, refuse } from '../problems.ts';
import { unitsOfSubmission } from '../request-units.ts';
import { tenantOf } from '../tenant.ts';
import { submitBatch } from './batch.ts';
import { submitOne } from './one-job.ts';

/** `POST /v1/jobs`: one job, or a batch. */
export function submitHandler(core: Core): Handler {
  const { items, schemas, gate } = core;
  return async (exchange) => {
    const { req, res } = exchange;
    checkNoQuery(req.url!, schemas.queries.none);
    const tenant = tenantOf(req);
    const read = await items.read(req, res, tenant);
    gate.charge(req, unitsOfSubmission(read.items.length, read.bytes));
    try {
      if (read.form !== 'single') return await submitBatch(core, exchange, tenant, read);
      const item = read.items[0]!;
      if (isProblem(item)) throw new ProblemError(item);
      await submitOne(core, exchange, tenant, item);
    } finally {
      read.release();
    }
  };
}

/** `PUT /enqueue?iterations=N`: the body is the data, hashed while it streams in and never held. */
export function enqueueHandler(core: Core): Handler {
  const { schemas, deps, gate, slices } = core;
  const options = { maxBytes: deps.settings.maxBodyBytes, slices };
  return async (exchange) => {
    const { req, res } = exchange;
    if (isForm(req.headers['content-type']))
      refuse(
        'unsupported-media-type',
        'A form (multipart/form-data) has its own bytes around the data. Send the data alone: curl -T FILE, requests.put(URL, data=file).',
      );
    const { iterations } = checkedQuery(req.url!, schemas.queries.enqueue);
    const tenant = tenantOf(req);
    const { chain, bytes } = await hashBody(req, res, options);
    gate.charge(req, unitsOfSubmission(1, bytes));
    await submitOne(core, exchange, tenant, jobFacts(tenant, chain, Number(iterations)));
  };
}

import type { Core } from '../core.ts';
import { sendJson } from '../http/answer.ts';
import type { Handler } from '../http/exchange.ts';
import { openApiDocument } from '../openapi.ts';

const LINKS = {
  jobs: '/v1/jobs',
  cluster: '/v1/cluster',
  workers: '/v1/workers',
  openapi: '/openapi.json',
} as const;

/** `GET /`: what this is, and where to go on. */
export function indexHandler({ deps }: Core): Handler {
  const body = JSON.stringify({ name: 'HashCluster', version: deps.settings.version, links: LINKS });
  return ({ res }) => sendJson(res, 200, body);
}

/** `GET /openapi.json`. Made when somebody asks for the first time. */
export function openApiHandler({ schemas, deps }: Core): Handler {
  let body: string | null = null;
  return ({ res }) => {
    body ??= JSON.stringify(openApiDocument(schemas, deps.settings));
    sendJson(res, 200, body);
  };
}

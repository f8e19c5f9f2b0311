import { request } from 'node:http';
import type { JobBody } from '../../lib/client.ts';
import { INGRESS_PORT } from './cluster.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export interface HttpCall {
  readonly host: string;
  readonly path: string;
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly limitMs?: number;
}

/** A request as a user sends it: through the ingress, which knows by the host whom it is for. Rejects when there is no answer. */
export function throughIngress(call: HttpCall): Promise<HttpAnswer> {
  const { host, path, method = 'GET', body, headers = {}, limitMs = 70_000 } = call;
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: INGRESS_PORT, path, method, headers: { ...headers, host } };
    const sent = request({ ...options, agent: false, timeout: limitMs }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => (text += part));
      answer.once('error', reject);
      answer.once('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }));
    });
    sent.once('timeout', () => sent.destroy(new Error(`No answer within ${limitMs} ms`)));
    sent.once('error', reject);
    sent.end(body);
  });
}

/**
 * For how long an answer stays open, in milliseconds: `limitMs` when nobody cuts it off before. Rejects when there is no
 * answer, or another status than 200.
 */
export function opensThroughIngress(
  { host, path, headers = {} }: HttpCall,
  limitMs: number,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: INGRESS_PORT, path, headers: { ...headers, host } };
    const sent = request({ ...options, agent: false }, (answer) => {
      const began = performance.now();
      const timer = setTimeout(() => answer.destroy(), limitMs);
      if (answer.statusCode !== 200) sent.destroy(new Error(`${path}: ${answer.statusCode}`));
      answer.resume().once('close', () => {
        clearTimeout(timer);
        resolve(Math.min(limitMs, performance.now() - began));
      });
      // What is cut off has been open for as long as that.
      answer.on('error', () => undefined);
    });
    sent.setTimeout(limitMs + 10_000, () => sent.destroy(new Error(`No answer from ${path}`)));
    sent.once('error', reject);
    sent.end();
  });
}

/** Submits a job and waits for its end. Rejects on anything but an answer with a job. */
export async function submitThroughIngress(host: string, data: string, iterations: number): Promise<JobBody> {
  const answer = await throughIngress({
    ...{ host, path: '/v1/jobs', method: 'POST', body: JSON.stringify({ data, iterations }) },
    headers: { 'content-type': 'application/json', prefer: 'wait=60' },
  });
  if (answer.status !== 200 && answer.status !== 201 && answer.status !== 202)
    throw new Error(`${answer.status} ${answer.text}`);
  return JSON.parse(answer.text) as JobBody;
}

/** What the service shows on a path, as JSON. Rejects on anything but an answer that is well. */
export async function readThroughIngress<T>(host: string, path: string): Promise<T> {
  const answer = await throughIngress({ host, path });
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
  return JSON.parse(answer.text) as T;
}

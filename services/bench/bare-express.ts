import type { AddressInfo } from 'node:net';
import express from 'express';

/** The least that express can do with the same requests: parse the body, answer a constant. */
const app = express();
app.use(express.json());
app.post('/v1/jobs', (_request, response) => {
  response.status(202).json({ id: 1 });
});
const server = app.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));

import type { IncomingMessage, ServerResponse } from 'node:http';
import { documentType } from '../http/media-type.ts';
import { refuse } from '../problems.ts';
import type { Schemas } from '../schemas.ts';
import type { BodySlices } from './body-slices.ts';
import { DocumentSink } from './document-sink.ts';
import type { HeldBytes, Holder } from './held-bytes.ts';
import { ItemCollector } from './item-collector.ts';
import { ItemParser, type ParsedItem } from './item-parser.ts';
import { LinesSink } from './lines-sink.ts';
import { LongItem, OUTLINE_BYTES } from './long-item.ts';
import { readBody, type BodySink } from './read-body.ts';
import { WithoutBom } from './without-bom.ts';

/** How a submission came, which is how it is answered. */
export type SubmissionForm = 'single' | 'array' | 'lines';

export interface Items {
  readonly form: SubmissionForm;
  readonly items: readonly ParsedItem[];
  /** Of the body. */
  readonly bytes: number;
  /** To be called when the answer is sent, or when there is none to send. */
  readonly release: () => void;
}

export interface ItemReaderOptions {
  readonly slices: BodySlices;
  readonly held: HeldBytes;
  readonly schemas: Schemas;
  readonly maxIterations: number;
  readonly maxDocumentBytes: number;
  readonly maxLineBytes: number;
  readonly maxItems: number;
}

/** Reads the jobs that a request asks for, as a JSON object, a JSON array or NDJSON. */
export class ItemReader {
  readonly #options: ItemReaderOptions;
  readonly #parser: ItemParser;

  constructor(options: ItemReaderOptions) {
    this.#options = options;
    this.#parser = new ItemParser(options.schemas.item, options.maxIterations);
  }

  /** Throws what is wrong with the request as a whole; what is wrong with one item of a batch stands in its place. */
  async read(req: IncomingMessage, res: ServerResponse, tenant: string): Promise<Items> {
    const type = documentType(req.headers['content-type']);
    if (type === null)
      refuse(
        'unsupported-media-type',
        'Content-Type must be application/json (one item, or an array of them) or application/x-ndjson (an item per line), in UTF-8.',
      );
    const holder = this.#options.held.holder();
    try {
      return await (type === 'json'
        ? this.#document(req, res, tenant, holder)
        : this.#lines(req, res, tenant, holder));
    } catch (error) {
      holder.giveAll();
      throw error;
    }
  }

  async #document(req: IncomingMessage, res: ServerResponse, tenant: string, holder: Holder): Promise<Items> {
    const { maxDocumentBytes, maxLineBytes, maxItems } = this.#options;
    const single = this.#collector(tenant, { maxItemBytes: maxDocumentBytes, maxItems: 1 }, holder);
    const elements = this.#collector(tenant, { maxItemBytes: maxLineBytes, maxItems }, holder);
    const beginLong = (): LongItem => {
      holder.take(OUTLINE_BYTES);
      return new LongItem(this.#parser);
    };
    const endLong = (item: LongItem): ParsedItem => item.end(tenant);
    const sink = new DocumentSink({ held: single, beginLong, endLong }, elements);
    const bytes = await this.#readInto(sink, req, res);
    const { batch, items } = sink.end();
    return { form: batch ? 'array' : 'single', items, bytes, release: () => holder.giveAll() };
  }

  async #lines(req: IncomingMessage, res: ServerResponse, tenant: string, holder: Holder): Promise<Items> {
    const { maxLineBytes, maxItems } = this.#options;
    const lines = this.#collector(tenant, { maxItemBytes: maxLineBytes, maxItems }, holder);
    const sink = new LinesSink(lines);
    const bytes = await this.#readInto(sink, req, res);
    sink.end();
    return { form: 'lines', items: lines.items, bytes, release: () => holder.giveAll() };
  }

  #collector(
    tenant: string,
    limits: { maxItemBytes: number; maxItems: number },
    holder: Holder,
  ): ItemCollector {
    return new ItemCollector((text, shape) => this.#parser.parse(tenant, text, shape), limits, holder);
  }

  /** The length of the body, in bytes. */
  async #readInto(sink: BodySink, req: IncomingMessage, res: ServerResponse): Promise<number> {
    const { maxDocumentBytes: maxBytes, slices } = this.#options;
    const document = new WithoutBom(sink);
    const bytes = await readBody(req, res, document, { maxBytes, slices });
    document.end();
    return bytes;
  }
}

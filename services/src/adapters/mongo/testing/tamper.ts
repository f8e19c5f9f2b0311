import type { mongo } from 'mongoose';
import type { Tampering } from '../../../ports/job-store-conformance-kit.ts';
import type { JobDoc, ResultDoc } from '../store/documents.ts';

type Doc = JobDoc | ResultDoc;

const CHANGES: Readonly<Record<Tampering, (doc: Doc) => mongo.UpdateFilter<Doc>>> = {
  digest: ({ digest, chain }) => {
    const bytes = Buffer.from((digest ?? chain).slice());
    bytes[63]! ^= 1;
    return { $set: { digest: bytes } };
  },
  position: (doc) => ('position' in doc ? { $set: { position: doc.position + 1_024 } } : {}),
  iterations: ({ iterations }) => ({ $set: { iterations: iterations + 1_048_576 } }),
  unchecked: () => ({ $unset: { checksum: '', checksumAt: '' } }),
};

/** Changes the documents of a job. */
export async function tamper(db: mongo.Db, id: string, how: Tampering): Promise<void> {
  for (const name of how === 'position' ? ['jobs'] : ['jobs', 'results']) {
    const collection = db.collection<Doc>(name, { promoteBuffers: true });
    const doc = await collection.findOne({ _id: id });
    if (doc) await collection.updateOne({ _id: id }, CHANGES[how](doc));
  }
}

import { formatBytes } from './format.ts';
import { Pace } from './pace.ts';
import type { Progress } from './progress.ts';
import type { Upload } from './upload.ts';

/** Uploads that take less than this (milliseconds) are not worth showing. */
const QUIET_MS = 1_000;

/** The upload, with its progress shown when it takes a while. Without a known size there is none to show. */
export function shownUpload(upload: Upload, progress: Progress, now: () => number): Upload {
  const { size } = upload;
  if (size === null) return upload;
  const start = now();
  async function* open(): AsyncGenerator<Uint8Array> {
    const pace = new Pace();
    let sent = 0;
    for await (const chunk of upload.open()) {
      yield chunk;
      sent += chunk.length;
      pace.add(now(), sent);
      if (now() - start < QUIET_MS) continue;
      const rate = pace.rate();
      const secondsLeft = rate === null ? null : (size! - sent) / rate;
      progress.show({
        label: 'sending',
        position: sent,
        total: size!,
        rate,
        secondsLeft,
        amount: formatBytes,
      });
    }
  }
  return { size, canOpen: () => upload.canOpen(), open };
}

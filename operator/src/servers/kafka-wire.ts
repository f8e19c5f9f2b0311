/**
 * The little of Kafka's protocol that it takes to log in and to change users. A client of Kafka for everything would cost the
 * operator 50 MiB of memory for ever, for one request. Source: https://kafka.apache.org/protocol, the schemas of versions 4.x.
 */

/** The keys of requests, and the versions that are spoken. */
export const REQUESTS = {
  saslHandshake: { key: 17, version: 1, flexible: false },
  saslAuthenticate: { key: 36, version: 1, flexible: false },
  alterUserScramCredentials: { key: 51, version: 0, flexible: true },
} as const;

export interface RequestKind {
  readonly key: number;
  readonly version: number;
  /** With compact lengths and tagged fields. Source: KIP-482. */
  readonly flexible: boolean;
}

const NO_TAGS = Buffer.from([0]);

export function int8(value: number): Buffer {
  return Buffer.from([value & 0xff]);
}

export function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 0x7f) | 0x80);
  }
}

/** STRING. */
export function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([int16(bytes.length), bytes]);
}

/** BYTES. */
export function bytes(value: Buffer): Buffer {
  return Buffer.concat([int32(value.length), value]);
}

/** COMPACT_STRING and COMPACT_BYTES. */
export function compact(value: Buffer | string): Buffer {
  const content = Buffer.from(value);
  return Buffer.concat([varint(content.length + 1), content]);
}

/** COMPACT_ARRAY of structures, each with its empty tagged fields. */
export function compactArray(items: readonly (readonly Buffer[])[]): Buffer {
  return Buffer.concat([varint(items.length + 1), ...items.flatMap((item) => [...item, NO_TAGS])]);
}

/** A request with its length and header. */
export function frame(kind: RequestKind, correlation: number, body: readonly Buffer[]): Buffer {
  const tags = kind.flexible ? [NO_TAGS] : [];
  const header = [int16(kind.key), int16(kind.version), int32(correlation), text('hashcluster-operator')];
  return bytes(Buffer.concat([...header, ...tags, ...body, ...tags]));
}

/** Reads what is in a response, in its order. Throws a RangeError where that ends too early. */
export class Fields {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(content: Buffer) {
    this.#bytes = content;
  }

  int16(): number {
    return this.#take(2).readInt16BE();
  }

  int32(): number {
    return this.#take(4).readInt32BE();
  }

  /** NULLABLE_STRING. */
  text(): string | null {
    const length = this.int16();
    return length < 0 ? null : this.#take(length).toString();
  }

  /** BYTES. */
  bytes(): Buffer {
    return this.#take(Math.max(0, this.int32()));
  }

  /** COMPACT_NULLABLE_STRING. */
  compactText(): string | null {
    const length = this.#varint();
    return length === 0 ? null : this.#take(length - 1).toString();
  }

  compactArray<T>(read: () => T): T[] {
    const length = this.#varint() - 1;
    const items: T[] = [];
    for (let i = 0; i < length; i += 1) {
      items.push(read());
      this.tags();
    }
    return items;
  }

  /** Passes over tagged fields. */
  tags(): void {
    for (let count = this.#varint(); count > 0; count -= 1) {
      this.#varint();
      this.#take(this.#varint());
    }
  }

  #varint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#take(1)[0]!;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError('A number in a response of Kafka is too long');
  }

  #take(length: number): Buffer {
    const end = this.#at + length;
    if (length < 0 || end > this.#bytes.length) throw new RangeError('A response of Kafka is too short');
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}

import { isMap, isScalar, parseDocument, type Pair, type YAMLMap } from 'yaml';

/** One value of the chart: its path, its default as JSON, and the comment above it. */
export interface ValueRow {
  readonly path: string;
  readonly standard: string;
  readonly says: string;
}

/** Every value that values.yaml has, in order. A map in braces stands for one value, such as `resources`. */
export function valueRows(text: string): ValueRow[] {
  const { contents } = parseDocument(text);
  if (!isMap(contents)) throw new Error('values.yaml is not a map');
  return rowsOf(contents, '', text.split('\n\n')[0] ?? '');
}

function rowsOf(map: YAMLMap, prefix: string, preface: string): ValueRow[] {
  return map.items.flatMap((pair: Pair, i) => {
    const { key, value } = pair;
    if (!isScalar(key)) return [];
    const path = `${prefix}${String(key.value)}`;
    const before = key.commentBefore ?? (i === 0 ? map.commentBefore : undefined) ?? '';
    const says = commentOf(before, preface);
    if (isMap(value) && value.flow !== true) {
      const rows = rowsOf(value, `${path}.`, preface);
      const [first, ...others] = rows;
      return first ? [{ ...first, says: [says, first.says].filter(Boolean).join(' ') }, ...others] : [];
    }
    const plain = (value as { toJSON?: () => unknown } | null)?.toJSON?.() ?? null;
    return [{ path, standard: JSON.stringify(plain), says }];
  });
}

function commentOf(comment: string, preface: string): string {
  const lines = comment.split('\n').map((line) => line.replace(/^#?\s*/, '').trim());
  return lines.filter((line) => line !== '' && !preface.includes(line)).join(' ');
}

/** The table of the chart's README. */
export function valuesTable(text: string): string {
  const cell = (content: string) => content.replaceAll('|', '\\|');
  const rows = valueRows(text).map(({ path, standard, says }) => {
    return `| \`${path}\` | \`${cell(standard)}\` | ${cell(says)} |`;
  });
  return ['| value | default | |', '|---|---|---|', ...rows].join('\n');
}

/** More letters than these to change, and it is another word. */
const MAX_DISTANCE = 2;

/**
 * The commands that a mistyped one may stand for, the likeliest first: those that begin with it, then those that one or two
 * wrong, missing, surplus or swapped letters away.
 */
export function similarCommands(word: string, commands: readonly string[]): string[] {
  const limit = Math.min(MAX_DISTANCE, Math.floor(word.length / 2));
  const scored = commands.map((name) => ({
    name,
    score: word !== '' && name.startsWith(word) ? 0 : distance(word, name),
  }));
  return scored
    .filter(({ score }) => score <= limit)
    .sort((a, b) => a.score - b.score)
    .map(({ name }) => name);
}

/** Letters to insert, delete, replace or swap: the optimal string alignment distance. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = swapped ? before[j - 2]! + 1 : Infinity;
      row.push(Math.min(above[j]! + 1, row[j - 1]! + 1, above[j - 1]! + same, swap));
    }
    [before, above] = [above, row];
  }
  return above[b.length]!;
}

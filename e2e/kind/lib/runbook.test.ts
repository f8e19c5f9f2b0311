import { describe, expect, test } from '@jest/globals';
import { commandsOf, pagesOfRunbook, readPage, SECTIONS, substituted } from './runbook.ts';

const PAGE = `# Reason

## Diagnosis

\`\`\`console
$ kubectl get pods
NAME   READY
$ kubectl get pvc -l a=NAME \\
  -o custom-columns='NAME:.metadata.name'
\`\`\`

## Mitigation

- Do: \`kubectl delete pod NAME-mongodb-ORDINAL\`
- \`Ready\` says more.
`;

test('runbook: commands are found in blocks, over several lines, and in the text', () => {
  expect(commandsOf(PAGE, 'Diagnosis')).toEqual([
    'kubectl get pods',
    "kubectl get pvc -l a=NAME \\\n  -o custom-columns='NAME:.metadata.name'",
  ]);
  expect(commandsOf(PAGE, 'Mitigation')).toEqual(['kubectl delete pod NAME-mongodb-ORDINAL']);
  expect(() => commandsOf(PAGE, 'Impact')).toThrow('no section Impact');
});

test('runbook: names are replaced, heads of columns are not, and none is left over', () => {
  const [, second = ''] = commandsOf(PAGE, 'Diagnosis');
  expect(substituted(second, { NAME: 'demo' })).toBe(
    "kubectl get pvc -l a=demo \\\n  -o custom-columns='NAME:.metadata.name'",
  );
  expect(() => substituted('kubectl delete pod NAME-mongodb-ORDINAL', { NAME: 'demo' })).toThrow('ORDINAL');
});

describe('runbook: a page', () => {
  test.each([
    'ActionFailing',
    'DataMissing',
    'MajorityLost',
    'OlderData',
    'ReplicaSetLost',
    'ReplicaSetMismatch',
    'StartsFromVolumes',
    'VolumeLost',
    'VolumeRestored',
  ])('for %s is there', async (reason) => {
    expect(await pagesOfRunbook()).toContain(reason);
  });

  test('has all sections, and commands to diagnose with', async () => {
    for (const reason of await pagesOfRunbook()) {
      const page = await readPage(reason);
      expect(page.startsWith(`# ${reason}\n`)).toBe(true);
      const heads = [...page.matchAll(/^## (.*)$/gm)].map(([, head]) => head);
      expect([reason, heads]).toEqual([reason, [...SECTIONS]]);
      expect([reason, commandsOf(page, 'Diagnosis').length]).not.toEqual([reason, 0]);
      const names = { NAME: 'demo', TIME: '2030-01-01T00:00:00Z', ID: 'abc', ORDINAL: '0' };
      for (const section of ['Diagnosis', 'Mitigation'] as const)
        for (const command of commandsOf(page, section)) expect(substituted(command, names)).not.toBe('');
    }
  });
});

import { describe, expect, test } from '@jest/globals';
import { kafkaConfigMap, kafkaProperties, kafkaSet } from './kafka.ts';
import { mongoSet } from './mongodb.ts';
import { missingSecrets } from './secrets.ts';
import { secretFacts } from '../testing/scene.ts';
import { contextOf, templateOf } from './testing.ts';

describe('MongoDB', () => {
  test.each([
    ['512Mi', '0.25'],
    ['1Gi', '0.25'],
    ['3Gi', '1'],
    ['8Gi', '3.5'],
  ])('with %s of memory has a cache of %s GB', (memory, gib) => {
    const context = contextOf({ mongodb: { managed: { resources: { limits: { memory } } } } });
    const args = templateOf(mongoSet(context, 3)).spec.containers[0].args!;
    expect(args[args.indexOf('--wiredTigerCacheSizeGB') + 1]).toBe(gib);
  });

  test('asks everybody who they are, and lets no group read its keyfile', () => {
    const template = templateOf(mongoSet(contextOf(), 3));
    expect(template.spec.containers[0].args).toEqual(
      expect.arrayContaining(['--keyFile', '/run/keyfile/keyfile']),
    );
    expect(template.spec.containers[0]).toHaveProperty('command.2', expect.stringMatching(/^umask 077;/));
  });

  test('is never restarted by Kubernetes itself when its template changes', () => {
    expect(mongoSet(contextOf(), 3)).toHaveProperty('spec.updateStrategy', { type: 'OnDelete' });
  });

  test('keeps its volumes, whatever becomes of its StatefulSet', () => {
    const set = mongoSet(
      contextOf({ mongodb: { managed: { storage: '7Gi', storageClassName: 'fast' } } }),
      3,
    );
    expect(set).toHaveProperty('spec.persistentVolumeClaimRetentionPolicy', {
      whenDeleted: 'Retain',
      whenScaled: 'Retain',
    });
    expect(set).toHaveProperty('spec.volumeClaimTemplates.0.spec', {
      ...{ accessModes: ['ReadWriteOnce'], volumeMode: 'Filesystem', storageClassName: 'fast' },
      resources: { requests: { storage: '7Gi' } },
    });
    expect(set).not.toHaveProperty('spec.volumeClaimTemplates.0.metadata.ownerReferences');
  });
});

describe('Kafka', () => {
  const three = contextOf();

  test.each<[number, readonly string[]]>([
    [
      1,
      [
        'default.replication.factor=1',
        'min.insync.replicas=1',
        'controller.quorum.voters=0@hc-kafka-0.hc-kafka.ns.svc.cluster.local:9093',
      ],
    ],
    [3, ['default.replication.factor=3', 'min.insync.replicas=2', 'offsets.topic.replication.factor=3']],
    [5, ['default.replication.factor=3', 'min.insync.replicas=2']],
  ])('with %i brokers keeps as many copies as it can', (replicas, lines) => {
    const properties = kafkaProperties(contextOf({ kafka: { managed: { replicas } } })).split('\n');
    expect(properties).toEqual(expect.arrayContaining([...lines]));
  });

  test('asks everybody who they are', () => {
    const properties = kafkaProperties(three);
    expect(properties).toContain(
      'listener.security.protocol.map=CLIENTS:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT',
    );
    expect(properties).toContain('sasl.enabled.mechanisms=SCRAM-SHA-512');
  });

  test('has no password in its ConfigMap', () => {
    const text = JSON.stringify(kafkaConfigMap(three));
    expect(text.match(/password=\S{0,4}/g)!.every((found) => /password=(\\+"|\$)/.test(found))).toBe(true);
  });

  test('is restarted when its configuration changes', () => {
    const hash = (replicas: number) =>
      templateOf(kafkaSet(contextOf({ kafka: { managed: { replicas } } }))).metadata.annotations;
    expect(hash(3)).not.toEqual(hash(5));
    expect(hash(3)).toEqual(hash(3));
  });

  test.each([
    ['1Gi', '-Xms256m -Xmx512m'],
    ['4Gi', '-Xms256m -Xmx2048m'],
    ['256Mi', '-Xms256m -Xmx256m'],
  ])('with %s of memory has a heap of %s', (memory, value) => {
    const set = kafkaSet(contextOf({ kafka: { managed: { resources: { limits: { memory } } } } }));
    expect(templateOf(set).spec.containers[0].env).toContainEqual({ name: 'KAFKA_HEAP_OPTS', value });
  });
});

describe('credentials', () => {
  test('are made for managed servers, one password for each user', () => {
    const made = missingSecrets(contextOf(), []);
    expect(made.map(({ object, keys }) => [object.metadata.name, keys.map(({ name }) => name)])).toEqual([
      [
        'hc-mongodb-credentials',
        [
          'keyfile',
          ...['admin', 'operator', 'endpoint', 'worker', 'monitor'].map((user) => `${user}-password`),
        ],
      ],
      [
        'hc-kafka-credentials',
        ['cluster-id', ...['controller', 'broker', 'endpoint', 'worker'].map((user) => `${user}-password`)],
      ],
    ]);
  });

  test('have no owner: they outlive the cluster as its data does', () => {
    for (const { object } of missingSecrets(contextOf(), []))
      expect(object.metadata.ownerReferences).toBeUndefined();
  });

  test('are never made again', () => {
    const secrets = ['hc-mongodb-credentials', 'hc-kafka-credentials'].map((name) => secretFacts(name));
    expect(missingSecrets(contextOf({}, { secrets }), [])).toEqual([]);
  });

  test('are not made for servers of somebody else', () => {
    const spec = { mongodb: { external: { secretName: 's' } }, kafka: { external: { brokers: ['k:1'] } } };
    expect(missingSecrets(contextOf(spec), [])).toEqual([]);
  });
});

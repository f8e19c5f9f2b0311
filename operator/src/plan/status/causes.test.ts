import { describe, expect, test } from '@jest/globals';
import type { ConditionType } from '../../api/status.ts';
import { planHealing } from '../healing/plan-healing.ts';
import type { Pod } from '../kube.ts';
import type { ProbeReading, Readings } from '../observed.ts';
import { NOW, pod } from '../testing/scene.ts';
import { EXTERNAL, observe, set, statusFor, store, there, without, type Case } from './testing.ts';

function conditionOf(type: ConditionType, given: Case) {
  const { status, reason, message } = statusFor(given).conditions!.find((each) => each.type === type)!;
  return { status, reason, message };
}

function probe(checks: Record<string, string>, component: 'endpoint' | 'worker' = 'endpoint'): ProbeReading {
  return { component, pod: `hc-${component}-1`, checks: { at: NOW, value: checks } };
}

const down = (role: 'endpoint' | 'worker') => there(role, { readyReplicas: 0, availableReplicas: 0 });

/** A cluster on a MongoDB of others, without an endpoint that is ready. */
function external(
  readings: Partial<Readings>,
  more: { secrets?: readonly (typeof store)[]; pods?: readonly Pod[] } = {},
): Case {
  const given = { spec: EXTERNAL, children: [down('endpoint'), down('worker')] };
  const { secrets = [store], pods = [] } = more;
  const observed = { secrets, pods, readings: { ...observe(given).readings, ...readings } };
  return {
    ...given,
    more: observed,
    findings: { healing: planHealing(observe({ ...given, more: observed })) },
  };
}

describe('StoreReady of an external MongoDB says why it cannot be used', () => {
  test.each([
    'MongoDB at db:27017 cannot be used: Authentication failed.',
    'MongoDB at db:27017 cannot be used: MongoDB has to be a replica set: a single server cannot repeat a write',
    'MongoDB at nowhere:27017 cannot be used: getaddrinfo ENOTFOUND nowhere',
  ])('by the probe of an endpoint: %s', (says) => {
    const given = external({ probes: [probe({ process: 'it is starting', store: says })] });
    const expected = { reason: 'StoreUnreachable', message: `Pod hc-endpoint-1: ${says}` };
    expect(conditionOf('StoreReady', given)).toEqual({ status: 'False', ...expected });
    expect(conditionOf('Degraded', given)).toEqual({ status: 'True', ...expected });
    expect(conditionOf('Ready', given)).toEqual({ status: 'False', ...expected });
  });

  test('by the probe of a worker, where no endpoint runs', () => {
    const given = external({ probes: [probe({ store: 'refused' }, 'worker')] });
    expect(conditionOf('StoreReady', given).message).toBe('Pod hc-worker-1: refused');
  });

  test('by the status of a pod that does not start', () => {
    const waiting = {
      reason: 'CreateContainerConfigError',
      message: "couldn't find key uri in Secret ns/store",
    };
    const containerStatuses = [{ name: 'endpoint', ready: false, restartCount: 0, state: { waiting } }];
    const pods = [
      pod('hc-endpoint-1', {
        component: 'endpoint',
        ready: false,
        started: 4,
        status: { phase: 'Pending', containerStatuses },
      }),
    ];
    expect(conditionOf('StoreReady', external({}, { pods }))).toEqual({
      ...{ status: 'False', reason: 'CreateContainerConfigError' },
      message: `Pod hc-endpoint-1: container endpoint: ${waiting.message}`,
    });
  });

  test('by the Secret, when a key is missing in it', () => {
    const given = external({}, { secrets: [{ ...store, keys: [] }] });
    const expected = { reason: 'SecretKeyMissing', message: 'Secret store has no key uri' };
    expect(conditionOf('StoreReady', given)).toEqual({ status: 'False', ...expected });
    expect(conditionOf('Degraded', given)).toEqual({ status: 'True', ...expected });
  });

  test('and otherwise that it is not known', () => {
    expect(conditionOf('StoreReady', external({}))).toMatchObject({ status: 'Unknown', reason: 'NotKnown' });
    const old = { ...probe({ store: 'refused' }), checks: { at: NOW - 61_000, value: { store: 'refused' } } };
    expect(conditionOf('StoreReady', external({ probes: [old] })).status).toBe('Unknown');
  });
});

test('BusReady of an external Kafka names keys that are missing in its Secrets', () => {
  const kafka = { external: { brokers: ['k:9092'], secretName: 'bus', mechanism: 'scram-sha-512' as const } };
  const given: Case = {
    spec: { ...EXTERNAL, kafka },
    more: { secrets: [store, { ...store, name: 'bus', keys: ['username'] }] },
  };
  const expected = { reason: 'SecretKeyMissing', message: 'Secret bus has no key password' };
  expect(conditionOf('BusReady', given)).toEqual({ status: 'False', ...expected });
});

test.each(['endpoint', 'worker'] as const)('Available says why no %s is ready', (role) => {
  const probes = [probe({ store: 'MongoDB has no primary', process: 'it is starting' }, role)];
  const children = without(`hc-${role}`, down(role));
  const given = { children, more: { readings: { ...observe({}).readings, probes } } };
  expect(conditionOf('Available', given).message).toMatch(
    new RegExp(`; Pod hc-${role}-1: store: MongoDB has no primary, process: it is starting$`),
  );
});

describe('pods of a StatefulSet that cannot be created', () => {
  const message = 'create Pod hc-mongodb-0 failed error: maximum cpu usage per Container is 100m';
  const given: Case = {
    children: without('hc-mongodb', set('mongodb', 0)),
    mongo: null,
    more: {
      readings: {
        ...observe({ mongo: null }).readings,
        creations: [{ component: 'mongodb', failure: { at: NOW, value: message } }],
      },
    },
  };

  test('are in Degraded with the reason, as those of a Deployment', () => {
    expect(conditionOf('Degraded', given)).toEqual({
      ...{ status: 'True', reason: 'FailedCreate', message: `mongodb: ${message}` },
    });
  });

  test('are in StoreReady', () => {
    expect(conditionOf('StoreReady', given)).toMatchObject({ status: 'False', reason: 'FailedCreate' });
  });
});

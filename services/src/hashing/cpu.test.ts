import { availableParallelism } from 'node:os';
import { describe, expect, test } from '@jest/globals';
import { cgroupCores, cpuFeatures, cpuInfo, engineCount, usableCores } from './cpu.ts';

type Files = Readonly<Record<string, string>>;

const QUOTA_CASES: { name: string; files: Files; cores: number }[] = [
  { name: 'no control groups', files: {}, cores: Infinity },
  {
    name: 'version 2 without a limit',
    files: { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': 'max 100000\n' },
    cores: Infinity,
  },
  {
    name: 'version 2 in a container with its own view',
    files: { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': '150000 100000\n' },
    cores: 1.5,
  },
  {
    name: 'version 2, where a group further up is stricter',
    files: {
      '/proc/self/cgroup': '0::/a.slice/b.service\n',
      '/sys/fs/cgroup/a.slice/b.service/cpu.max': '800000 100000\n',
      '/sys/fs/cgroup/a.slice/cpu.max': '25000 50000\n',
    },
    cores: 0.5,
  },
  {
    name: 'version 2, where the group itself is stricter',
    files: {
      '/proc/self/cgroup': '0::/a.slice/b:1.service\n',
      '/sys/fs/cgroup/a.slice/b:1.service/cpu.max': '200000 100000',
      '/sys/fs/cgroup/a.slice/cpu.max': 'max 100000',
    },
    cores: 2,
  },
  {
    name: 'version 1, mounted as cpu,cpuacct',
    files: {
      '/proc/self/cgroup': '4:memory:/x\n3:cpu,cpuacct:/docker/123\n0::/\n',
      '/sys/fs/cgroup/cpu,cpuacct/docker/123/cpu.cfs_quota_us': '300000\n',
      '/sys/fs/cgroup/cpu,cpuacct/docker/123/cpu.cfs_period_us': '100000\n',
    },
    cores: 3,
  },
  {
    name: 'version 1 in a container that sees the path of the host',
    files: {
      '/proc/self/cgroup': '1:cpu:/kubepods/pod1/2\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '50000\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
    },
    cores: 0.5,
  },
  {
    name: 'version 1 without a limit',
    files: {
      '/proc/self/cgroup': '1:cpu:/\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
    },
    cores: Infinity,
  },
  {
    name: 'limits of controllers other than cpu',
    files: {
      '/proc/self/cgroup': '2:cpuset:/\n1:cpuacct:/\n',
      '/sys/fs/cgroup/cpuacct/cpu.cfs_quota_us': '1000\n',
      '/sys/fs/cgroup/cpuacct/cpu.cfs_period_us': '100000\n',
    },
    cores: Infinity,
  },
  {
    name: 'files that make no sense',
    files: { '/proc/self/cgroup': 'nonsense\n0::/\n\n', '/sys/fs/cgroup/cpu.max': '\n' },
    cores: Infinity,
  },
];

describe('the cores that control groups leave', () => {
  test.each(QUOTA_CASES)('$name: $cores', ({ files, cores }) => {
    expect(cgroupCores((path) => files[path] ?? null)).toBe(cores);
  });
});

test.each([
  [8, Infinity, 8],
  [8, 2, 2],
  [8, 2.1, 3],
  [8, 0.25, 1],
  [2, 16, 2],
  [1, Infinity, 1],
])('%d cores with a quota of %d are %d engines', (offered, quota, engines) => {
  expect(usableCores(offered, quota)).toBe(engines);
});

describe('the number of engines', () => {
  test('is at least one and at most what the system offers', () => {
    const engines = engineCount();
    expect(engines).toBeGreaterThanOrEqual(1);
    expect(engines).toBeLessThanOrEqual(availableParallelism());
  });

  test.each([1, 3, 1_024])('is %d when told so', (override) => {
    expect(engineCount(override)).toBe(override);
  });

  test.each([0, -1, 1.5, 1_025, Number.NaN, Infinity])('cannot be %d', (override) => {
    expect(() => engineCount(override)).toThrow(
      new RangeError(`The number of engines is an integer of 1 to 1024, but this is ${override}`),
    );
  });
});

describe('features of the processor', () => {
  test.each([
    [
      'x86',
      'processor\t: 0\nflags\t\t: fpu sse sse2 ssse3 sse4_1 fma avx2 bmi1 bmi2 avx512f avx512vl avx512_vbmi2 sha_ni rdpid misalignsse\nbugs\t\t: spectre_v1\n',
      ['sse2', 'ssse3', 'sse4_1', 'avx2', 'bmi1', 'bmi2', 'avx512f', 'avx512vl', 'avx512_vbmi2', 'sha_ni'],
    ],
    [
      'Arm',
      'Features\t: fp asimd aes sha1 sha2 crc32 sha3 sha512 sve2 lrcpc\n',
      ['asimd', 'sha2', 'sha3', 'sha512', 'sve2'],
    ],
    ['nothing', '', []],
  ])('of %s are those that hashing can use', (_, text, features) => {
    expect(cpuFeatures(text)).toEqual(features);
  });

  test('come with a name', () => {
    expect(cpuInfo().model).not.toBe('');
  });
});

import { describe, expect, test } from '@jest/globals';
import { hostName, ownHosts } from './host-names.ts';

describe('the name in a Host header', () => {
  test.each([
    ['Example.ORG', 'example.org'],
    ['example.org.:80', 'example.org'],
    ['127.0.0.1:5000', '127.0.0.1'],
    ['[::1]:5000', '[::1]'],
    ['', ''],
    ['a:b', null],
    ['::1', null],
  ])('of %p is %p', (header, name) => expect(hostName(header)).toBe(name));
});

describe('a server answers to', () => {
  const loopback = ownHosts('127.0.0.1', []);
  const named = ownHosts('127.0.0.1', ['Hash.example.org']);
  const open = ownHosts('::', []);
  const openNamed = ownHosts('::', ['hash.example.org']);
  test.each([
    ['on loopback', loopback, 'localhost:5000', true],
    ['on loopback', loopback, '127.0.0.1', true],
    ['on loopback', loopback, '[::1]:5000', true],
    ['on loopback', loopback, 'hash.localhost', true],
    ['on loopback', loopback, 'evil.example', false],
    ['on loopback', loopback, 'localhost.evil.example', false],
    ['on loopback', loopback, '127.0.0.1.evil.example', false],
    ['on loopback', loopback, '', false],
    ['on loopback with a name', named, 'hash.example.org:443', true],
    ['on loopback with a name', named, 'localhost', true],
    ['on loopback with a name', named, 'evil.example', false],
    ['on every address', open, 'evil.example', true],
    ['on every address with a name', openNamed, 'hash.example.org', true],
    ['on every address with a name', openNamed, 'evil.example', false],
  ])('%s: %p %p %p', (_where, isOwnHost, header, expected) => expect(isOwnHost(header)).toBe(expected));
});

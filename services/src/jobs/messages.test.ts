import { expect, test } from '@jest/globals';
import { COST_CLASSES } from './cost.ts';
import { dispatchTopic, TOPICS } from './messages.ts';

test('each cost class has a topic of its own, and every topic is listed once', () => {
  const topics = COST_CLASSES.map(dispatchTopic);
  expect(topics).toEqual(['jobs.0', 'jobs.1', 'jobs.2', 'jobs.3']);
  expect(new Set(TOPICS).size).toBe(TOPICS.length);
  expect(TOPICS).toEqual(expect.arrayContaining([...topics, 'results', 'alive', 'control']));
});

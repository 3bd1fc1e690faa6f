import { expect, it } from 'vitest';
import { AdvertiseXError } from '../../domain/errors.ts';
import { kafkaFailure } from './kafka-failure.ts';

it('says the deepest reason, and what to look at', () => {
  const refused = Object.assign(new Error('Authentication failed.'), { code: 'PLT_KFK_AUTHENTICATION' });
  const told = kafkaFailure('Records could not be sent', new AggregateError([new Error('Cannot connect', { cause: refused })], 'Producing messages failed.'));
  expect([told.code, told.message]).toEqual(['kafka_failed', 'Records could not be sent: Authentication failed.']);
  expect(told.remedy).toMatch(/password/);
  const denied = kafkaFailure('x', Object.assign(new Error('Not authorized to access topics.'), { apiId: 'TOPIC_AUTHORIZATION_FAILED' }));
  expect(denied.message).toBe('x: Not authorized to access topics. (TOPIC_AUTHORIZATION_FAILED)');
  expect(denied.remedy).toMatch(/allow this user/);
  expect(kafkaFailure('x', new Error('connect ECONNREFUSED')).remedy).toMatch(/kafka\.brokers/);
});

it('leaves what is told already, and takes anything that can be thrown', () => {
  const known = new AdvertiseXError('not_found', 'a', 'b');
  expect(kafkaFailure('x', known)).toBe(known);
  expect(kafkaFailure('x', 'odd').message).toBe('x: odd');
  const circular: Error = new Error('round');
  circular.cause = circular;
  expect(kafkaFailure('x', circular).message).toBe('x: round');
  expect(kafkaFailure('x', new Error('')).message).toBe('x: no reason is given');
});

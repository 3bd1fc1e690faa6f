import { expect, it } from 'vitest';
import { AdvertiseXError } from '../../domain/errors.ts';
import { hasKafkaError, isUnknownTopic, kafkaFailure } from './kafka-failure.ts';

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

it('finds what a broker answered in what the client makes of it', () => {
  const response = new AggregateError([Object.assign(new Error('Not here.'), { apiId: 'NOT_LEADER_OR_FOLLOWER' })], 'Received response with error');
  const wrapped = new Error('fetch failed 1 times.', { cause: response });
  expect(hasKafkaError(wrapped, 'NOT_LEADER_OR_FOLLOWER')).toBe(true);
  expect(hasKafkaError(wrapped, 'OFFSET_OUT_OF_RANGE')).toBe(false);
  expect(hasKafkaError(undefined, 'OFFSET_OUT_OF_RANGE')).toBe(false);
  expect(isUnknownTopic(new AggregateError([new Error('Unknown topic x.')], 'Metadata failed.'))).toBe(true);
  expect(isUnknownTopic(wrapped)).toBe(false);
});

import { AdvertiseXError } from '../../domain/errors.ts';

/** What a client of Kafka threw, with the reason that lies deepest: those above it only say that something failed. */
export function kafkaFailure(what: string, error: unknown): AdvertiseXError {
  if (error instanceof AdvertiseXError) return error;
  const reasons = reasonsOf(error);
  const isRefused = reasons.some(({ code, apiId }) => code === 'PLT_KFK_AUTHENTICATION' || /AUTHORIZATION_FAILED$/.test(apiId ?? ''));
  const next = isRefused
    ? 'Check kafka.sasl_mechanism, kafka.username, the password, and what the brokers allow this user.'
    : 'Check kafka.brokers, kafka.tls and the certificates, and that the brokers are up.';
  return new AdvertiseXError('kafka_failed', `${what}: ${sentenceOf(reasons.at(-1))}`, next, error);
}

/** Whether a broker answered with that error (by its name in Kafka's protocol), alone or among others. */
export function hasKafkaError(error: unknown, apiId: string): boolean {
  const { apiId: own, errors = [], cause } = (error ?? {}) as Partial<Reason> & { readonly errors?: readonly unknown[]; readonly cause?: unknown };
  return own === apiId || errors.some((each) => hasKafkaError(each, apiId)) || (cause !== undefined && cause !== error && hasKafkaError(cause, apiId));
}

/** The client tells of it before it asks a broker, or a broker does. */
export function isUnknownTopic(error: unknown): boolean {
  return hasKafkaError(error, 'UNKNOWN_TOPIC_OR_PARTITION') || /^Unknown topic/.test(sentenceOf(reasonsOf(error).at(-1)));
}

interface Reason {
  readonly message: string;
  readonly code?: string;
  /** The name that Kafka's protocol has for it. */
  readonly apiId?: string;
}

/** From the error itself down to the first cause of each: an error that holds several is as good as its first. */
function reasonsOf(error: unknown): Reason[] {
  const reasons: Reason[] = [];
  for (let at: unknown = error; at instanceof Error && reasons.length < DEEPEST; at = (at as Partial<AggregateError>).errors?.[0] ?? at.cause) reasons.push(at);
  return reasons.length > 0 ? reasons : [{ message: String(error) }];
}

const DEEPEST = 16;

function sentenceOf(reason: Reason | undefined): string {
  const { message = '', apiId } = reason ?? {};
  const text = message.split('\n')[0]?.trim() || 'no reason is given';
  return apiId === undefined || text.includes(apiId) ? text : `${text} (${apiId})`;
}

import { AdvertiseXError, type ErrorCode } from '../../domain/errors.ts';
import { type ObjectLocation, objectUrl } from '../../domain/object-location.ts';

/** As the SDK throws it. */
interface S3Error extends Error {
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

interface Meaning {
  readonly code: ErrorCode;
  readonly what: string;
  readonly next: string;
}

const AGAIN = 'then run the same command again.';
const CREDENTIALS: Pick<Meaning, 'code' | 'next'> = {
  code: 'object_store_failed',
  next: `Give this process credentials in one of the usual ways (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, the role of the container or machine), ${AGAIN}`,
};
const UNREACHABLE: Meaning = {
  code: 'object_store_failed',
  what: 'the object store does not answer',
  next: `Check the network, s3.endpoint and s3.region, ${AGAIN}`,
};

const MEANINGS: Readonly<Record<string, Meaning>> = {
  CredentialsProviderError: { ...CREDENTIALS, what: 'no credentials were found' },
  ExpiredToken: { ...CREDENTIALS, what: 'the credentials have expired' },
  ExpiredTokenException: { ...CREDENTIALS, what: 'the credentials have expired' },
  TokenProviderError: { ...CREDENTIALS, what: 'the login has expired' },
  InvalidAccessKeyId: { ...CREDENTIALS, what: 'the store does not know the access key' },
  InvalidToken: { ...CREDENTIALS, what: 'the store does not know the session token' },
  SignatureDoesNotMatch: { ...CREDENTIALS, what: 'the secret key is not that of the access key, or a proxy changes the request' },
  AccessDenied: {
    code: 'source_unreadable',
    what: 'the credentials do not allow it',
    next: `Allow this user or role s3:ListBucket and s3:GetObject there (for a lake also s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload), ${AGAIN}`,
  },
  NoSuchBucket: { code: 'source_unreadable', what: 'there is no such bucket', next: 'Check its name, s3.endpoint and s3.region.' },
  PermanentRedirect: { code: 'object_store_failed', what: 'the bucket is in another region', next: 'Set s3.region to the region of the bucket.' },
  AuthorizationHeaderMalformed: { code: 'object_store_failed', what: 'the bucket is in another region', next: 'Set s3.region to the region of the bucket.' },
  InvalidObjectState: { code: 'source_unreadable', what: 'the object is in an archive', next: `Restore it in the store, ${AGAIN}` },
  NotImplemented: {
    code: 'object_store_failed',
    what: 'the store does not do what is asked of it',
    next: 'Look whether lake.encryption is more than this store can do.',
  },
  RequestTimeTooSkewed: { code: 'object_store_failed', what: 'the clock of this machine is wrong', next: `Set it, ${AGAIN}` },
  SlowDown: { code: 'object_store_failed', what: 'the object store is too busy', next: `Wait a while, ${AGAIN}` },
};

/**
 * What the SDK threw, as an error that says what to do. Its own message is quoted only where it comes from the network: what a store
 * says of credentials may have parts of them in it.
 */
export function s3Failure(location: ObjectLocation, error: unknown): AdvertiseXError {
  if (error instanceof AdvertiseXError) return error;
  const { name, message, code, $metadata } = error as S3Error;
  const status = $metadata?.httpStatusCode;
  const meaning = MEANINGS[name] ?? byStatus(status) ?? (isRegionMissing(message) ? REGION_MISSING : UNREACHABLE);
  const detail = status === undefined ? (meaning === UNREACHABLE ? `: ${code ?? message}` : '') : ` (${name === 'Unknown' ? '' : `${name}, `}HTTP ${status})`;
  return new AdvertiseXError(meaning.code, `${objectUrl(location)}: ${meaning.what}${detail}`, meaning.next);
}

const REGION_MISSING: Meaning = { code: 'object_store_failed', what: 'no region is set', next: 'Set s3.region, or AWS_REGION.' };

function isRegionMissing(message: string): boolean {
  return /region is missing/i.test(message);
}

function byStatus(status: number | undefined): Meaning | undefined {
  if (status === undefined) return undefined;
  // The answer to a HEAD has no words.
  if (status === 403) return { ...(MEANINGS['AccessDenied'] as Meaning), what: 'the credentials are wrong, or do not allow it' };
  if (status === 503 || status === 429) return MEANINGS['SlowDown'];
  return { ...UNREACHABLE, what: 'the object store refuses the request', next: `Check the credentials, s3.endpoint and s3.region, ${AGAIN}` };
}

/** Whether it says that a condition does not hold, or that the object (or its upload, which may be complete by now) is not there. */
export function isChanged(error: unknown): boolean {
  const { name, $metadata } = error as S3Error;
  const status = $metadata?.httpStatusCode;
  return status === 412 || name === 'PreconditionFailed' || name === 'NoSuchKey' || name === 'NoSuchUpload' || name === 'ConditionalRequestConflict';
}

export function isMissing(error: unknown): boolean {
  const { name, $metadata } = error as S3Error;
  return name === 'NoSuchKey' || (name === 'NotFound' && $metadata?.httpStatusCode === 404);
}

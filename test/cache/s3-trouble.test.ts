/** What follows from each error that the S3 client gives. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type S3Fault, faultOf, s3Trouble } from '../../src/cache/s3-trouble.ts';

type Verdict = 'absent' | 'this object' | 'this object, for now' | 'the bucket' | 'the bucket, for now';
const rows: readonly {
  readonly name: string;
  readonly status?: number;
  readonly code?: string;
  readonly anonymous?: true;
  readonly verdict: Verdict;
}[] = [
  { name: 'NoSuchKey', status: 404, verdict: 'absent' },
  { name: 'NoSuchKey', verdict: 'the bucket' },
  { name: 'NoSuchBucket', status: 404, verdict: 'the bucket' },
  { name: 'NotFound', status: 404, verdict: 'the bucket' },
  { name: 'AccessDenied', status: 403, verdict: 'this object' },
  { name: 'AccessDenied', status: 403, anonymous: true, verdict: 'the bucket' },
  { name: 'QuotaExceeded', status: 403, verdict: 'this object' },
  { name: 'Unknown', status: 403, verdict: 'this object' },
  { name: 'Error', status: 407, verdict: 'the bucket' },
  { name: 'SignatureDoesNotMatch', status: 403, verdict: 'the bucket' },
  { name: 'InvalidAccessKeyId', status: 403, verdict: 'the bucket' },
  { name: 'ExpiredToken', status: 400, verdict: 'the bucket' },
  { name: 'RequestTimeTooSkewed', status: 403, verdict: 'the bucket' },
  { name: 'AuthorizationHeaderMalformed', status: 400, verdict: 'the bucket' },
  { name: 'PermanentRedirect', status: 301, verdict: 'the bucket' },
  { name: 'CredentialsProviderError', verdict: 'the bucket' },
  { name: 'NotFromStore', verdict: 'the bucket' },
  { name: 'SlowDown', status: 503, verdict: 'the bucket, for now' },
  { name: 'TooManyRequests', status: 429, verdict: 'the bucket, for now' },
  { name: 'InternalError', status: 500, verdict: 'the bucket, for now' },
  { name: 'Unknown', status: 502, verdict: 'the bucket, for now' },
  { name: 'ConditionalRequestConflict', status: 409, verdict: 'this object, for now' },
  { name: 'BadDigest', status: 400, verdict: 'this object, for now' },
  { name: 'XAmzContentSHA256Mismatch', status: 400, verdict: 'this object, for now' },
  { name: 'EntityTooLarge', status: 400, verdict: 'this object' },
  { name: 'TimeoutError', verdict: 'the bucket, for now' },
  { name: 'TimeoutError', code: 'ECONNRESET', verdict: 'the bucket, for now' },
  { name: 'Error', code: 'ECONNREFUSED', verdict: 'the bucket, for now' },
  { name: 'Error', code: 'EAI_AGAIN', verdict: 'the bucket, for now' },
  { name: 'Error', code: 'ENOTFOUND', verdict: 'the bucket' },
  { name: 'Error', code: 'EPROTO', verdict: 'the bucket' },
  { name: 'Error', code: 'DEPTH_ZERO_SELF_SIGNED_CERT', verdict: 'the bucket' },
  { name: 'TypeError', code: 'ERR_INVALID_URL', verdict: 'the bucket' },
  { name: 'Error', code: 'HPE_INVALID_CONSTANT', verdict: 'the bucket' },
  { name: 'Error', code: 'ERR_PROXY_TUNNEL', verdict: 'the bucket' },
  { name: 'Error', code: 'ERR_STREAM_PREMATURE_CLOSE', verdict: 'the bucket, for now' },
  { name: 'ProxyUnusable', verdict: 'the bucket' },
  { name: 'Error', verdict: 'the bucket' },
];
for (const { name, status, code, anonymous, verdict } of rows) {
  test(`${[status, name, code, anonymous && 'without credentials'].filter(Boolean).join(' ')} means ${verdict === 'absent' ? verdict : `that ${verdict} cannot be had`}`, () => {
    const fault: S3Fault = { name, status, code, message: 'UnknownError' };
    const trouble = s3Trouble(fault, { purpose: 'read', anonymous: anonymous ?? false });
    if (trouble.outcome === 'absent') return assert.equal(verdict, 'absent');
    assert.equal(`${trouble.everywhere ? 'the bucket' : 'this object'}${trouble.passing ? ', for now' : ''}`, verdict);
    assert.notEqual(trouble.reason, '');
    assert.notEqual(trouble.mend, '');
  });
}

test('faultOf() takes facts from whatever was thrown', () => {
  assert.deepEqual(faultOf('oops'), { name: 'string', code: undefined, status: undefined, message: 'oops' });
  const thrown = Object.assign(new Error('UnknownError'), { name: 'NoSuchKey', $metadata: { httpStatusCode: 404 } });
  assert.deepEqual(faultOf(thrown), { name: 'NoSuchKey', code: undefined, status: 404, message: 'UnknownError' });
  const cut = Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
  assert.deepEqual(faultOf(cut), { name: 'Error', code: 'ECONNRESET', status: undefined, message: 'aborted' });
});

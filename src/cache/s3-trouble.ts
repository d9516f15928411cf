/** What went wrong with a bucket, in words, and what follows from it; pure. */
import type { Trouble } from './asking.ts';

/** The facts that a thrown error of the S3 client carries; its message tells little and is never matched on. */
export interface S3Fault {
  readonly name: string;
  /** Of a transport error, such as ECONNRESET. */
  readonly code: string | undefined;
  /** Of an HTTP answer, where there was one. */
  readonly status: number | undefined;
  readonly message: string;
}

type S3Trouble = Extract<Trouble, { outcome: 'absent' | 'unreachable' }>;

export function faultOf(thrown: unknown): S3Fault {
  if (!(thrown instanceof Error))
    return { name: typeof thrown, code: undefined, status: undefined, message: String(thrown) };
  const { code, $metadata } = thrown as {
    readonly code?: unknown;
    readonly $metadata?: { readonly httpStatusCode?: unknown };
  };
  const status = $metadata?.httpStatusCode;
  return {
    name: thrown.name,
    code: typeof code === 'string' ? code : undefined,
    status: typeof status === 'number' ? status : undefined,
    message: thrown.message,
  };
}

type Row = readonly [reason: string, mend: string];
const credentials = 'check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or the profile';

/** The server knows whom it talks to and says no to all of it. */
const lasting: Readonly<Record<string, Row>> = {
  NoSuchBucket: ['the bucket does not exist', 'create the bucket, or correct its name in the Buildfile'],
  SignatureDoesNotMatch: ['the secret key is wrong', credentials],
  InvalidAccessKeyId: ['the access key is unknown there', credentials],
  ExpiredToken: ['the session token has expired', 'log in again'],
  InvalidToken: ['the session token is not valid', credentials],
  CredentialsProviderError: ['the credentials could not be loaded', credentials],
  UserSuspended: ['the user is suspended', 'ask whoever runs the server'],
  RequestTimeTooSkewed: [
    'the clocks of this machine and of the server differ by more than 15 minutes',
    'set the clock',
  ],
  AuthorizationHeaderMalformed: ['the bucket is in another region', 'give its region in the Buildfile'],
  PermanentRedirect: ['the bucket is in another region', 'give its region in the Buildfile'],
  ProxyUnusable: ['the proxy that the environment names is not a URL', 'correct HTTPS_PROXY or HTTP_PROXY'],
  NotFromStore: [
    'what answered is not an S3 server but a web page',
    'check the endpoint, and whether a proxy or a log-in page stands before it',
  ],
};

/** Only this request is refused; others may pass. */
const refused: Readonly<Record<string, Row>> = {
  AccessDenied: ['access denied', 'give these credentials s3:PutObject, s3:GetObject and s3:ListBucket'],
  QuotaExceeded: ['the quota of the bucket is used up', 'remove old objects, or raise the quota'],
};

const untrusted: Row = [
  'the certificate of the server is not trusted',
  'set NODE_EXTRA_CA_CERTS to the file of the authority that signed it',
];
const network = 'check the network and the endpoint';
const transport: Readonly<Record<string, Row>> = {
  ECONNREFUSED: ['nothing listens there', network],
  ENOTFOUND: ['the name of the host is unknown', network],
  EAI_AGAIN: ['the name of the host could not be looked up', network],
  ECONNRESET: ['the connection was cut', network],
  EPIPE: ['the connection was cut', network],
  ERR_STREAM_PREMATURE_CLOSE: ['the connection was cut', network],
  ETIMEDOUT: ['no answer in time', network],
  EHOSTUNREACH: ['there is no route to the host', network],
  ENETUNREACH: ['there is no route to the host', network],
  HPE: ['what answered does not speak HTTP', network],
  EPROTO: ['no TLS is spoken there', 'write http:// in the endpoint if the server has no TLS'],
  ERR_PROXY_TUNNEL: ['the proxy does not let the connection through', 'check HTTPS_PROXY and NO_PROXY'],
  ERR_INVALID_URL: ['the endpoint is not a URL', 'correct the endpoint'],
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  ERR_TLS_CERT_ALTNAME_INVALID: ['the certificate of the server is for another name', 'correct the endpoint'],
  CERT_HAS_EXPIRED: ['the certificate of the server has expired', 'renew it'],
};
const passingCodes = new Set([
  'ECONNREFUSED',
  'EAI_AGAIN',
  'ECONNRESET',
  'EPIPE',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);
const damagedUploads = new Set(['BadDigest', 'XAmzContentSHA256Mismatch', 'IncompleteBody', 'RequestTimeout']);

/**
 * The verdict on a fault. Absent is said only where an S3 server itself says that the key is not there.
 *
 * @param request What it was for, and whether it went out unsigned for want of credentials.
 */
export function s3Trouble(
  fault: S3Fault,
  request: { readonly purpose: 'read' | 'write'; readonly anonymous: boolean },
): S3Trouble {
  const { name, code, status } = fault;
  const trouble = ([reason, mend]: Row, follows: { passing?: true; everywhere?: true }): S3Trouble => ({
    outcome: 'unreachable',
    reason,
    mend,
    passing: follows.passing ?? false,
    everywhere: follows.everywhere ?? false,
  });
  // ECONNRESET while sending is renamed TimeoutError by the SDK, so the code counts first.
  const wire = code === undefined ? undefined : code.startsWith('HPE_') ? transport['HPE'] : transport[code];
  if (wire) return trouble(wire, { everywhere: true, ...(passingCodes.has(code ?? '') && { passing: true }) });
  if (name === 'NoSuchKey' && status === 404) return { outcome: 'absent' };
  const known = lasting[name];
  if (known) return trouble(known, { everywhere: true });
  if (request.anonymous && status === 403)
    return trouble(['access denied; no credentials were found, so it was asked without any', credentials], {
      everywhere: true,
    });
  if (name === 'AccessDenied' && request.purpose === 'read')
    return trouble(
      [
        'access denied; where the right s3:ListBucket is missing, an absent object looks the same',
        'give these credentials s3:GetObject and s3:ListBucket',
      ],
      {},
    );
  const denied = refused[name];
  if (denied) return trouble(denied, {});
  const answer = `the server answered ${status}${name === 'Error' || name === 'Unknown' || name === 'NotFound' ? '' : ` ${name}`}`;
  if (name === 'TimeoutError') return trouble(['no answer in time', network], { passing: true, everywhere: true });
  if (damagedUploads.has(name)) return trouble(['what was sent arrived damaged', network], { passing: true });
  if (status === 409)
    return trouble(['another upload of the same object is under way', 'push again'], { passing: true });
  if (status === 429 || status === 503 || name === 'SlowDown')
    return trouble([`${answer}: it asks to slow down`, 'try again later'], { passing: true, everywhere: true });
  if (status !== undefined && status >= 500)
    return trouble([answer, 'try again later'], { passing: true, everywhere: true });
  if (status === 404)
    return trouble(
      ['what answered is not an S3 server: 404 without an S3 error', 'check the endpoint and the bucket'],
      { everywhere: true },
    );
  if (status === 407 || status === 401)
    return trouble([`a proxy answered ${status}`, 'check HTTPS_PROXY and NO_PROXY'], { everywhere: true });
  if (status !== undefined && status >= 400)
    return trouble([answer, 'check the endpoint, the bucket and the credentials'], {});
  // Without an answer there is nothing that would be about this object alone.
  return trouble([fault.message === '' ? name : fault.message, network], { everywhere: true });
}

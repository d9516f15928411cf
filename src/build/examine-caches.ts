/** Looks at the caches of a Buildfile: whether they answer, what one may do there, whether the clocks agree. Writes nothing into them. */
import type { Build } from '../buildfile/package.ts';
import type { CacheSpec } from '../cache/cache-spec.ts';
import { below } from '../cache/layout.ts';
import { defaultPatience } from '../cache/patience.ts';
import { bucketName } from '../cache/s3.ts';
import type { S3Spec } from '../cache/s3-spec.ts';
import { faultOf, s3Trouble } from '../cache/s3-trouble.ts';
import { tierOf } from '../cache/tiers.ts';
import type { ContentKey } from '../model/digest.ts';
import { VbuildError } from '../model/error.ts';
import type { Finding } from '../model/finding.ts';
import { type SigningSource, signingKey } from './signing-key.ts';

interface CachesRequest {
  readonly build: Build;
  /** Absolute folder of the Buildfile. */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signing: SigningSource;
  /** Whether this machine is to fill the caches. */
  readonly pushing: boolean;
  readonly signal: AbortSignal;
}

/** S3 refuses what is signed with a clock that is wrong by a quarter of an hour; certificates suffer as well. */
const clock = { noteMs: 60_000, badMs: 600_000 };
/** The key of nothing. */
const noKey = '0'.repeat(64) as ContentKey;

export async function examineCaches(request: CachesRequest): Promise<Finding[]> {
  const tiers = await Promise.all(
    request.build.cache.map((spec) => (spec.kind === 's3' ? examineBucket(spec, request) : examineTier(spec, request))),
  );
  return [...tiers.flat(), ...examineSigning(request)];
}

async function examineTier(spec: CacheSpec, { folder, environment, signal }: CachesRequest): Promise<Finding[]> {
  const tier = tierOf(spec, { folder, environment, trust: undefined });
  const answer = await tier.lookUp('doctor', noKey, signal);
  return 'reason' in answer
    ? [
        {
          check: tier.name,
          state: 'bad',
          found: answer.reason,
          mend: 'mend what it says; until then packages are built from source',
        },
      ]
    : [{ check: tier.name, state: 'good', found: 'answers' }];
}

async function examineBucket(spec: S3Spec, { environment, pushing, signal }: CachesRequest): Promise<Finding[]> {
  const check = bucketName(spec);
  const { rightsIn } = await import('../system/s3-rights.ts');
  try {
    const place = { ...spec, env: environment, ...defaultPatience };
    const { anonymous, list, read, write, aheadMs } = await rightsIn(place, below(spec.prefix, ''), signal);
    const all = [
      ['s3:ListBucket', list, true],
      ['s3:GetObject', read, true],
      ['s3:PutObject', write, pushing],
    ] as const;
    const names = all.filter(([, may]) => may).map(([name]) => name);
    const lacking = all.filter(([, may, needed]) => needed && may === false).map(([name]) => name);
    const untold = read === undefined ? '; whether there is one to s3:GetObject, nothing tells without it' : '';
    const who = anonymous ? 'without credentials' : 'with credentials';
    const rights: Finding =
      lacking.length === 0
        ? { check, state: 'good', found: `answers; ${who} one may ${names.join(', ')}` }
        : {
            check,
            state: 'bad',
            found: `${who} there is no right to ${lacking.join(', ')}${untold}`,
            mend: anonymous
              ? 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE'
              : `give these credentials ${lacking.join(', ')}`,
          };
    return [rights, ...(aheadMs === undefined ? [] : [clockFinding(check, aheadMs)])];
  } catch (thrown) {
    signal.throwIfAborted();
    const trouble = s3Trouble(faultOf(thrown), { purpose: 'read', anonymous: false });
    const told = trouble.outcome === 'unreachable' ? trouble : { reason: 'it is not there', mend: 'check its name' };
    return [{ check, state: 'bad', found: told.reason, mend: told.mend }];
  }
}

export function clockFinding(check: string, aheadMs: number): Finding {
  const seconds = Math.round(Math.abs(aheadMs) / 1000);
  const found = seconds <= 1 ? `agrees with ${check}` : `${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'} ${check}`;
  const state = Math.abs(aheadMs) >= clock.badMs ? 'bad' : Math.abs(aheadMs) >= clock.noteMs ? 'note' : 'good';
  return {
    check: 'clock',
    state,
    found,
    ...(state !== 'good' && { mend: 'let the machine keep its time, as with systemd-timesyncd' }),
  };
}

/** Only where something is to be signed with it. */
function examineSigning({ build, signing, pushing }: CachesRequest): Finding[] {
  if (!pushing && signing.key === undefined && signing.file === undefined) return [];
  try {
    const key = signingKey(signing, build.trust?.keys);
    return [{ check: 'signing', state: 'good', found: key === undefined ? 'nothing is signed' : `as ${key.role}` }];
  } catch (thrown) {
    if (!(thrown instanceof VbuildError)) throw thrown;
    return [{ check: 'signing', state: 'bad', found: thrown.message, mend: thrown.mend }];
  }
}

/** Restoring the example from a bucket, and pushing it there, beside curl and tar with the same bytes and the same server. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CreateBucketCommand, PutBucketPolicyCommand } from '@aws-sdk/client-s3';
import { type S3Server, skipWithoutS3, startS3Server } from '../test/support/s3-server.ts';
import type { MakeBenchmarks } from './main.ts';

const checkout = resolve(import.meta.dirname, '..');
const vbuild = join(checkout, 'bin/vbuild');
const lock = join(checkout, 'Buildfile.example.lock');
const example = ['-f', join(checkout, 'Buildfile.example.ts')] as const;
/** Named one by one, so that it does not matter what of the checkout is committed. */
const closure = ['zlib', 'libjpeg-turbo', 'libpng', 'freetype', 'libwebp', 'lcms2', 'tiff', 'openjpeg', 'pil'];

type Environment = Readonly<Record<string, string>>;

export const bucket: MakeBenchmarks = async (folder, after) => {
  const title = 'The example in a bucket';
  if (skipWithoutS3 !== false) return [{ title, why: `because there is ${skipWithoutS3}` }];
  if (!existsSync(lock))
    return [{ title, why: 'because the example is not built; build it with: npx vbuild pil -f Buildfile.example.ts' }];
  const server = await startS3Server();
  after(() => server.close());
  const [filled, emptied] = [await openBucket(server, 'filled'), await openBucket(server, 'emptied')];
  const place = { ...server.owner, AWS_ENDPOINT_URL_S3: server.endpoint };
  const push = ['cache', 'push', ...closure, ...example, '--json'];
  const pushed = run(push, { ...place, VENDOR_BUCKET: filled });
  if (pushed === undefined) return [{ title, why: 'because the disk cache does not have all of it' }];

  const [restored, objects] = [join(folder, 'restored'), await server.list(filled)];
  const aside = (name: string): string => join(restored, name);
  const apart = ['--cache-dir', aside('cache'), '--work', aside('work'), '--prefix', aside('vendor')];
  const restore = ['pil', '--no-build', '--frozen', ...example, '--lock', lock, ...apart, '--json'];
  const anew = (): void => {
    rmSync(restored, { recursive: true, force: true });
    mkdirSync(restored);
  };
  anew();
  const reading = { ...place, VENDOR_BUCKET: filled };
  const got = run(restore, reading) ?? { requests: Number.NaN, bytes: Number.NaN };
  const url = (name: string, where: string): string => `${server.endpoint}/${where}/${name}`;
  const bodies = await bodiesOf(server, filled, objects);
  const unpack = (body: string, at: number): string =>
    `mkdir -p '${aside(String(at))}' && curl -sf '${url(body, filled)}' | tar --zstd -xf - -C '${aside(String(at))}'`;

  const local = join(folder, 'objects');
  mkdirSync(local);
  for (const [at, name] of objects.entries()) writeFileSync(join(local, String(at)), await server.get(filled, name));
  const upload = objects.map((name, at) => `curl -sf -T '${join(local, String(at))}' '${url(name, emptied)}'`);
  const empty = objects.map((name) => `curl -s -X DELETE '${url(name, emptied)}'`);
  const script = (name: string, lines: readonly string[]): readonly string[] => {
    writeFileSync(join(folder, name), `set -e\n${lines.join('\n')}\n`);
    return ['sh', join(folder, name)];
  };
  const emptying = script('empty', empty);
  const prepare = (): void => void spawnSync(emptying[0] ?? '', emptying.slice(1));
  return [
    {
      title: `Restoring PIL from a bucket: ${bodies.length} artifacts, ${megabytes(got.bytes)}, ${got.requests} requests`,
      rounds: 7,
      contestants: [
        { name: 'curl | tar, one after the other', argv: script('curl', bodies.map(unpack)), prepare: anew },
        {
          name: 'curl | tar, all at once',
          argv: script('curls', [...bodies.map((body, at) => `{ ${unpack(body, at)}; } &`), 'wait']),
          prepare: anew,
        },
        { name: 'vbuild pil --no-build', argv: [vbuild, ...restore], env: reading, prepare: anew },
      ],
    },
    {
      title: `Pushing PIL to a bucket, its sources too: ${objects.length} objects, ${megabytes(pushed.bytes)}, ${pushed.requests} requests`,
      rounds: 5,
      contestants: [
        { name: 'curl -T, one after the other', argv: script('upload', upload), prepare },
        {
          name: 'vbuild cache push',
          argv: [vbuild, ...push],
          env: { ...place, VENDOR_BUCKET: emptied },
          prepare,
        },
      ],
    },
  ];
};

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/** Runs vbuild in the checkout. @returns What it cost at the bucket; undefined when it did not end well. */
function run(args: readonly string[], env: Environment): { requests: number; bytes: number } | undefined {
  const { status, stdout } = spawnSync(vbuild, args, {
    cwd: checkout,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  if (status !== 0) return undefined;
  const line = stdout.split('\n').find((text) => text.includes('"cache-traffic"'));
  const { requests, receivedBytes, sentBytes } = JSON.parse(line ?? '{}') as Readonly<Record<string, number>>;
  return { requests: requests ?? 0, bytes: (receivedBytes ?? 0) + (sentBytes ?? 0) };
}

/** A bucket in which everybody may do everything, as curl does it without a signature. */
async function openBucket({ client }: S3Server, Bucket: string): Promise<string> {
  await client.send(new CreateBucketCommand({ Bucket }));
  const Resource = [`arn:aws:s3:::${Bucket}`, `arn:aws:s3:::${Bucket}/*`];
  const Statement = [{ Effect: 'Allow', Principal: '*', Action: ['s3:*'], Resource }];
  await client.send(
    new PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify({ Version: '2012-10-17', Statement }) }),
  );
  return Bucket;
}

/** The objects that are bodies of artifacts. */
async function bodiesOf(server: S3Server, where: string, objects: readonly string[]): Promise<string[]> {
  const manifests = objects.filter((name) => name.endsWith('.json'));
  const digests = await Promise.all(
    manifests.map(async (name) => {
      const { body } = JSON.parse((await server.get(where, name)).toString()) as { body: { digest: string } };
      return body.digest;
    }),
  );
  return objects.filter((name) => digests.some((digest) => name.endsWith(digest)));
}

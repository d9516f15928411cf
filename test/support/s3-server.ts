/** A real S3 server for tests: Ceph's gateway from Debian with its store in memory, on loopback, gone with the test process. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';

/** What an `apt-get install --no-install-recommends` must name for this server. */
export const debianPackages = ['radosgw', 'ceph-mon', 'ceph-osd'];
const programs = ['ceph', 'ceph-mon', 'ceph-osd', 'monmaptool', 'radosgw', 'radosgw-admin', 'setpriv'];

export interface S3Server {
  readonly endpoint: string;
  /** The environment of a user who owns the buckets that `bucket()` makes. */
  readonly owner: Readonly<Record<string, string>>;
  /** The environment of a user without any right but those that a bucket's policy gives to `arn:aws:iam:::user/reader`. */
  readonly reader: Readonly<Record<string, string>>;
  readonly client: S3Client;
  /** A new, empty bucket; `readers` may list and get, or get only. */
  bucket(readers?: { readonly who: 'reader' | 'everybody'; readonly may: 'list and get' | 'get' }): Promise<string>;
  /** Every object name of a bucket, in order. */
  list(bucket: string): Promise<string[]>;
  get(bucket: string, object: string): Promise<Buffer>;
  put(bucket: string, object: string, body: string | Uint8Array, contentType?: string): Promise<void>;
  remove(bucket: string, object: string): Promise<void>;
  close(): Promise<void>;
}

const path = `${process.env['PATH'] ?? ''}${delimiter}/usr/sbin${delimiter}/sbin`;
const missing = programs.filter((name) => !path.split(delimiter).some((folder) => existsSync(join(folder, name))));

/** For `test(…, { skip })`: false when the server can run; its absence is a failure where `CI` is set and else a reason to skip. */
export const skipWithoutS3: string | false =
  missing.length === 0 || process.env['CI']
    ? false
    : `no S3 server here (${missing.join(', ')}): apt-get install --no-install-recommends ${debianPackages.join(' ')}`;

/** @throws when it does not come up within a minute; its logs are in the message. */
export async function startS3Server(): Promise<S3Server> {
  if (missing.length > 0)
    throw new Error(
      `the S3 server needs ${missing.join(', ')}: apt-get install --no-install-recommends ${debianPackages.join(' ')}`,
    );
  const top = mkdtempSync(join(tmpdir(), 'vbuild-s3-'));
  const daemons: ChildProcess[] = [];
  const close = async (): Promise<void> => {
    client?.destroy();
    for (const daemon of daemons.toReversed()) {
      if (daemon.exitCode !== null || daemon.signalCode !== null) continue;
      const ended = once(daemon, 'exit');
      daemon.kill('SIGKILL');
      await ended;
    }
    rmSync(top, { recursive: true, force: true });
  };
  let client: S3Client | undefined;
  try {
    const [monitorPort, port] = await Promise.all([freePort(), freePort()]);
    for (const folder of ['mon', 'osd', 'rgw', 'run', 'log']) mkdirSync(join(top, folder));
    const conf = join(top, 'ceph.conf');
    writeFileSync(conf, configuration(top, monitorPort, port));
    writeFileSync(join(top, 'keyring'), '');
    const call = async (program: string, ...args: string[]): Promise<void> =>
      void (await promisify(execFile)(program, args, { env: { PATH: path, LC_ALL: 'C' }, timeout: 60_000 }));
    // The kernel ends a daemon when this process goes, however it goes.
    const serve = (program: string, ...args: string[]): void =>
      void daemons.push(
        spawn('setpriv', ['--pdeathsig', 'KILL', program, '-f', '-c', conf, ...args], {
          env: { PATH: path, LC_ALL: 'C' },
          stdio: 'ignore',
        }),
      );

    const volume = randomUUID();
    await call(
      'monmaptool',
      '--create',
      '--fsid',
      /fsid = (\S+)/.exec(readFileSync(conf, 'utf8'))?.[1] ?? '',
      '--addv',
      'a',
      `[v2:127.0.0.1:${monitorPort}]`,
      join(top, 'monmap'),
    );
    await call('ceph-mon', '-c', conf, '-i', 'a', '--mkfs', '--monmap', join(top, 'monmap'));
    serve('ceph-mon', '-i', 'a');
    await call('ceph', '-c', conf, 'osd', 'new', volume, '0');
    await call('ceph-osd', '-c', conf, '-i', '0', '--mkfs', '--osd-uuid', volume);
    serve('ceph-osd', '-i', '0');
    const user = async (name: string): Promise<Record<string, string>> => {
      const env = {
        AWS_ACCESS_KEY_ID: `KEY${name.toUpperCase()}`,
        AWS_SECRET_ACCESS_KEY: randomBytes(20).toString('hex'),
        AWS_REGION: 'us-east-1',
      };
      await call(
        'radosgw-admin',
        '-c',
        conf,
        'user',
        'create',
        `--uid=${name}`,
        `--display-name=${name}`,
        `--access-key=${env.AWS_ACCESS_KEY_ID}`,
        `--secret=${env.AWS_SECRET_ACCESS_KEY}`,
      );
      return env;
    };
    const owner = await user('owner');
    serve('radosgw', '-n', 'client.rgw');
    const reader = await user('reader');
    const endpoint = `http://127.0.0.1:${port}`;
    for (
      const end = Date.now() + 60_000;
      !(await fetch(endpoint).then(
        (answer) => answer.ok,
        () => false,
      ));
      await sleep(50)
    )
      if (Date.now() > end) throw new Error('the gateway does not answer');
    const credentials = {
      accessKeyId: owner['AWS_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: owner['AWS_SECRET_ACCESS_KEY'] ?? '',
    };
    client = new S3Client({
      endpoint,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials,
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    });
    return { endpoint, owner, reader, client, close, ...helpers(client) };
  } catch (error) {
    const logs = readdirSync(join(top, 'log')).map(
      (name) => `${name}: ${readFileSync(join(top, 'log', name), 'utf8').slice(-600)}`,
    );
    await close();
    throw new Error(`the S3 server did not come up\n${logs.join('\n')}`, { cause: error });
  }
}

function helpers(client: S3Client): Pick<S3Server, 'bucket' | 'list' | 'get' | 'put' | 'remove'> {
  return {
    async bucket(readers) {
      const Bucket = `t-${randomBytes(6).toString('hex')}`;
      await client.send(new CreateBucketCommand({ Bucket }));
      if (readers === undefined) return Bucket;
      const Principal = readers.who === 'everybody' ? '*' : { AWS: ['arn:aws:iam:::user/reader'] };
      const Statement = [
        { Effect: 'Allow', Principal, Action: ['s3:GetObject'], Resource: [`arn:aws:s3:::${Bucket}/*`] },
        ...(readers.may === 'get'
          ? []
          : [{ Effect: 'Allow', Principal, Action: ['s3:ListBucket'], Resource: [`arn:aws:s3:::${Bucket}`] }]),
      ];
      await client.send(
        new PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify({ Version: '2012-10-17', Statement }) }),
      );
      return Bucket;
    },
    async list(Bucket) {
      const answer = await client.send(new ListObjectsV2Command({ Bucket }));
      return (answer.Contents ?? []).map(({ Key }) => Key ?? '').sort();
    },
    async get(Bucket, Key) {
      const answer = await client.send(new GetObjectCommand({ Bucket, Key }));
      return Buffer.from((await answer.Body?.transformToByteArray()) ?? []);
    },
    async put(Bucket, Key, Body, ContentType = 'application/octet-stream') {
      await client.send(new PutObjectCommand({ Bucket, Key, Body: Buffer.from(Body), ContentType }));
    },
    async remove(Bucket, Key) {
      await client.send(new DeleteObjectCommand({ Bucket, Key }));
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/**
 * One monitor, one store in memory, one gateway; no authentication between them.
 * Without the `crc` modes the gateway would wait for an encrypted monitor connection, which needs that authentication;
 * the two paxos times turn a start of ten seconds into one.
 */
const configuration = (top: string, monitorPort: number, port: number): string => `[global]
fsid = ${randomUUID()}
mon_initial_members = a
mon_host = v2:127.0.0.1:${monitorPort}/0
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
ms_bind_msgr1 = false
ms_mon_client_mode = crc
ms_mon_service_mode = crc
ms_mon_cluster_mode = crc
ms_client_mode = crc
ms_service_mode = crc
ms_cluster_mode = crc
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
keyring = ${top}/keyring
run_dir = ${top}/run
pid_file =
admin_socket =
crash_dir = ${top}/run
log_file = ${top}/log/$name.log
log_to_stderr = false
err_to_stderr = false
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 1
osd_pool_default_pgp_num = 1
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_max_pg_per_osd = 1000
[mon]
mon_data = ${top}/mon
mon_cluster_log_file = ${top}/log/cluster.log
mon_data_avail_warn = 1
mon_data_avail_crit = 0
paxos_propose_interval = 0.02
paxos_min_wait = 0.01
[osd]
osd_data = ${top}/osd
osd_objectstore = memstore
memstore_device_bytes = 8589934592
osd_class_load_list = *
osd_class_default_list = *
osd_max_object_name_len = 1024
osd_numa_auto_affinity = false
[client]
rgw_data = ${top}/rgw
rgw_frontends = beast endpoint=127.0.0.1:${port}
rgw_enable_apis = s3
rgw_dynamic_resharding = false
rgw_override_bucket_index_max_shards = 1
rgw_run_sync_thread = false
rgw_enable_usage_log = false
rgw_thread_pool_size = 64
rgw_gc_obj_min_wait = 5
rgw_gc_processor_period = 5
`;

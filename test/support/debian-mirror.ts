/** A small Debian archive on loopback with its own signing key, and an apt configuration that knows no other. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type SigningKey, signingKey } from './openpgp.ts';
import { removeTree, type Tree, tempDir, type WithCleanUp, writeTree } from './temp.ts';

export interface MirrorPackage {
  readonly name: string;
  /** Debian's full version. */
  readonly version: string;
  /** `3.0 (quilt)` when not given. */
  readonly format?: string;
  /** By the part of the file name behind `NAME_`: content, or a tree to pack (its top folder included). */
  readonly files: Readonly<Record<string, Tree | Uint8Array>>;
}

export interface DebianMirror {
  /** What a user's environment must hold for apt to see this mirror only. */
  readonly environment: Readonly<Record<string, string>>;
  /** Paths asked for so far, such as `/dists/stable/InRelease`. */
  readonly requests: readonly string[];
  /** Makes the archive offer exactly these, with indexes to match. Files of earlier packages stay in the pool. */
  publish(packages: readonly MirrorPackage[]): void;
  /** Takes a file out of the pool, in the indexes it stays. */
  drop(name: string, file: string): void;
  /** Replaces bytes below the mirror's top without a new signature. */
  tamper(path: string, edit: (bytes: Buffer) => Buffer): void;
  /** Never answers for this path again; resolves once it is asked for. */
  stall(path: string): Promise<void>;
}

export interface MirrorOptions {
  /** How the repository is written in the machine's lists; the other forms are tried where they matter. */
  readonly list?: 'deb822' | 'one-line';
  /** `none`: the Release file bears no signature; the lists ask for one all the same. */
  readonly signature?: 'good' | 'none' | 'of another key';
  /** Further lines for apt.conf. */
  readonly configuration?: string;
}

export async function debianMirror(t: WithCleanUp, options: MirrorOptions = {}): Promise<DebianMirror> {
  const top = tempDir(t, 'debian-mirror');
  // apt drops to a user of its own for some of its work.
  chmodSync(top, 0o755);
  const requests: string[] = [];
  const stalled = new Map<string, () => void>();
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '/');
    requests.push(path);
    const asked = stalled.get(path);
    if (asked !== undefined) return asked();
    try {
      response.end(readFileSync(join(top, 'www', path)));
    } catch {
      response.writeHead(404).end();
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const { signature = 'good', list = 'deb822' } = options;
  archiveKey ??= signingKey();
  const key = archiveKey;
  const signer = signature === 'of another key' ? signingKey() : key;
  writeTree(top, {
    'key.gpg': key.published,
    'apt.conf': `${Object.entries({
      parts: '/dev/null',
      main: '/dev/null',
      sourcelist: `${top}/sources.list`,
      sourceparts: `${top}/sources.list.d`,
    })
      .map(([name, value]) => `Dir::Etc::${name} "${value}";\n`)
      .join('')}${options.configuration ?? ''}\n`,
    ...(list === 'one-line'
      ? {
          'sources.list': `# a comment\ndeb [ signed-by=${top}/key.gpg ] ${url} stable main\n`,
          'sources.list.d/off.sources':
            'Types: deb\nEnabled: no\nURIs: http://127.0.0.1:1\nSuites: stable\nComponents: main\n',
        }
      : {
          'sources.list.d/own.sources': `Types: deb\nURIs: ${url}\nSuites: stable\nComponents: main\nSigned-By: ${top}/key.gpg\n`,
        }),
  });

  return {
    environment: { APT_CONFIG: join(top, 'apt.conf') },
    requests,
    publish(packages) {
      const index = packages.map((entry) => record(join(top, 'www'), entry)).join('\n');
      const indexes = {
        'main/source/Sources': index,
        ...Object.fromEntries(['amd64', 'arm64'].map((name) => [`main/binary-${name}/Packages`, binaries])),
      };
      const release = [
        'Suite: stable',
        'Codename: stable',
        `Date: ${new Date().toUTCString().replace('GMT', 'UTC')}`,
        'Architectures: amd64 arm64',
        'Components: main',
        'SHA256:',
        ...Object.entries(indexes).map(
          ([path, text]) => ` ${digest('sha256', text)} ${Buffer.byteLength(text)} ${path}`,
        ),
        '',
      ].join('\n');
      writeTree(join(top, 'www/dists/stable'), {
        ...indexes,
        Release: release,
        ...(signature !== 'none' && { 'Release.gpg': signer.sign(release) }),
      });
    },
    stall: (path) => new Promise((resolve) => stalled.set(path, resolve)),
    drop: (name, file) => rmSync(join(top, 'www', poolOf(name), file)),
    tamper(path, edit) {
      const file = join(top, 'www', path);
      writeFileSync(file, edit(readFileSync(file)));
    },
  };
}

/** An index of binary packages that apt takes for one; nobody installs any. */
const binaries = `Package: none
Version: 1
Architecture: all
Maintainer: Nobody <nobody@example.org>
Filename: pool/none.deb
Size: 1
SHA256: ${'0'.repeat(64)}
`;

/** Where an archive keeps the files of a source package; relative to its top. */
const poolOf = (name: string): string => `pool/main/${name.slice(0, 1)}/${name}`;

/** One key for all mirrors of a process: to make one takes longer than all else here. */
let archiveKey: SigningKey | undefined;

const digest = (algorithm: string, bytes: string | Uint8Array): string =>
  createHash(algorithm).update(bytes).digest('hex');

/** Writes a package's files into the pool; its paragraph of the index. */
function record(www: string, { name, version, format = '3.0 (quilt)', files }: MirrorPackage): string {
  const pool = join(www, poolOf(name));
  mkdirSync(pool, { recursive: true });
  const dsc = `${name}_${version.replace(/^\d+:/, '')}.dsc`;
  const entries = [
    [dsc, Buffer.from(`Format: ${format}\n`)] as const,
    ...Object.entries(files).map(
      ([suffix, content]) => [`${name}_${suffix}`, content instanceof Uint8Array ? content : packed(content)] as const,
    ),
  ];
  for (const [file, bytes] of entries) writeFileSync(join(pool, file), bytes);
  const digests = (algorithm: string): string =>
    entries.map(([file, bytes]) => `\n ${digest(algorithm, bytes)} ${bytes.length} ${file}`).join('');
  return [
    `Package: ${name}`,
    `Binary: ${name}-bin`,
    `Version: ${version}`,
    'Maintainer: Nobody <nobody@example.org>',
    'Architecture: any',
    `Format: ${format}`,
    `Directory: ${poolOf(name)}`,
    `Files:${digests('md5')}`,
    `Checksums-Sha256:${digests('sha256')}`,
    `Checksums-Sha512:${digests('sha512')}\n`,
  ].join('\n');
}

/** A tree as a gzipped tar whose bytes are always the same. A path that ends in `/` gives a folder's mode, in octal. */
export function packed(tree: Tree): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'packed-'));
  const folders = Object.entries(tree).filter(([path]) => path.endsWith('/'));
  try {
    writeTree(folder, Object.fromEntries(Object.entries(tree).filter(([path]) => !path.endsWith('/'))));
    for (const [path, mode] of folders) chmodSync(join(folder, path), Number.parseInt(mode as string, 8));
    const names = readdirSync(folder);
    return gzipSync(
      execFileSync('tar', ['-C', folder, '--sort=name', '--owner=0', '--group=0', '--mtime=@1', '-cf', '-', ...names]),
    );
  } finally {
    removeTree(folder);
  }
}

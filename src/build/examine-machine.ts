/** Looks at this machine as a run would need it: programs, tools, apt, disks, locks, namespaces. Leaves nothing behind. */
import { dirname, join } from 'node:path';
import { canonicalRoot } from '../artifact/build-root.ts';
import { type Package, packageId } from '../buildfile/package.ts';
import { readLock } from '../buildfile/pins.ts';
import { systemPath } from '../system/user-environment.ts';
import { probeTools } from '../compile/probe-tools.ts';
import { debianPackagesOf, installToolsCommand, missingTools } from '../compile/tools.ts';
import { messageOf, VbuildError } from '../model/error.ts';
import type { Finding } from '../model/finding.ts';
import { readRepositories } from '../system/apt-sources.ts';
import { diskRoom } from '../system/disk-room.ts';
import { exists, isExecutable, temporaryFolder } from '../system/files.ts';
import { acquireLock, isLocked } from '../system/lock.ts';
import { findNamespace, type Namespace, watchesHomes } from '../system/namespace.ts';
import { hostPlatform } from '../system/platform.ts';
import { run } from '../system/process.ts';
import { toolsOf } from './facts.ts';
import { fetchToolsOf, isRoot } from './pinning.ts';

/** The oldest Node that vbuild runs on. */
const leastNode = 24;

export function examineNode(): Finding {
  const found = `${process.version.slice(1)} at ${process.execPath}`;
  return Number.parseInt(process.versions.node, 10) >= leastNode
    ? { check: 'node', state: 'good', found }
    : { check: 'node', state: 'bad', found, mend: `run npm ci again, or name Node ${leastNode} in VBUILD_NODE` };
}

export function examineHost(): Finding {
  try {
    return { check: 'host', state: 'good', found: hostPlatform() };
  } catch (thrown) {
    if (!(thrown instanceof VbuildError)) throw thrown;
    return { check: 'host', state: 'bad', found: thrown.facts['found'] ?? thrown.message, mend: thrown.mend };
  }
}

/** Programs that vbuild itself calls, with their Debian packages. */
const own = {
  bash: 'bash',
  flock: 'util-linux',
  unshare: 'util-linux',
  mount: 'mount',
  perl: 'perl-base',
} as const;

export function examinePrograms(): Finding {
  const missing = Object.entries(own).filter(
    ([program]) => !systemPath.split(':').some((folder) => isExecutable(join(folder, program))),
  );
  return missing.length === 0
    ? { check: 'programs', state: 'good', found: Object.keys(own).join(', ') }
    : {
        check: 'programs',
        state: 'bad',
        found: `${missing.map(([program]) => program).join(', ')} not found in ${systemPath}`,
        mend: installToolsCommand([...new Set(missing.map(([, name]) => name))], isRoot()).join(' '),
      };
}

/** The tools of these packages, and how they compare with their pins. */
export async function examineTools(
  packages: readonly Package[],
  { lockFile }: { readonly lockFile: string },
  signal: AbortSignal,
): Promise<Finding[]> {
  const needs = packages.map((one) => ({
    package: packageId(one),
    tools: [...toolsOf(one), ...fetchToolsOf(one)],
  }));
  const names = [...new Set(needs.flatMap(({ tools }) => tools))].sort();
  const found = await probeTools(names, signal);
  const missing = missingTools(needs, found);
  const pins = readLock(lockFile).tools[hostPlatform()] ?? {};
  const there = names.flatMap((name) => {
    const tool = found[name];
    return tool === 'missing' ? [] : [{ name, version: tool.version, pin: pins[name] }];
  });
  const moved = there.filter(({ version, pin }) => pin !== undefined && pin !== version);
  return [
    ...(there.length === 0
      ? []
      : [
          {
            check: 'tools',
            state: 'good',
            found: there.map(({ name, version }) => `${name} ${version}`).join(', '),
          } as const,
        ]),
    ...missing.map(({ tool, neededBy }) => ({
      check: 'tools',
      state: 'bad' as const,
      found: `${tool} is missing, needed by ${neededBy.join(', ')}`,
      mend: installToolsCommand(debianPackagesOf(missing), isRoot()).join(' '),
    })),
    ...moved.map(({ name, version, pin }) => ({
      check: 'tools',
      state: 'note' as const,
      found: `${name} is ${version}, its pin says ${pin}`,
      mend: 'compile with --frozen only where the pinned version is; the next run here moves the pin',
    })),
  ];
}

/** @param needed Whether a package is fetched through apt. */
export async function examineApt(needed: boolean, signal: AbortSignal): Promise<Finding> {
  const finding = (state: Finding['state'], found: string, mend?: string): Finding => ({
    check: 'apt',
    state,
    found,
    ...(mend !== undefined && { mend }),
  });
  if (!exists('/usr/bin/apt-get'))
    return finding(
      needed ? 'bad' : 'note',
      'apt-get is not there',
      'install tools by hand; debian() sources need a Debian',
    );
  const { exitStatus, stdout, stderr, failure } = await run({
    argv: ['dpkg', '--audit'],
    cwd: '/',
    env: { PATH: systemPath, LC_ALL: 'C' },
    signal,
    timeoutMs: 30_000,
  });
  if (exitStatus !== 0 || stdout.trim() !== '') {
    const [said = 'dpkg --audit failed'] = `${stdout}${stderr}${failure ?? ''}`.trim().split('\n');
    return finding('bad', said, 'mend the packages of this machine with dpkg --configure -a, then apt-get -f install');
  }
  try {
    const lists = readRepositories('/etc/apt/sources.list', '/etc/apt/sources.list.d');
    return lists.length > 0
      ? finding('good', `packages are whole; ${lists.length} list${lists.length === 1 ? '' : 's'} of repositories`)
      : finding(needed ? 'bad' : 'note', 'no repository is listed', 'list one in /etc/apt/sources.list');
  } catch (thrown) {
    if (!(thrown instanceof VbuildError)) throw thrown;
    return finding('bad', `${thrown.message}: ${thrown.where.file}`, thrown.mend);
  }
}

/** A build of some libraries takes hundreds of megabytes and tens of thousands of files. */
const room = { badBytes: 500e6, noteBytes: 5e9, badFiles: 20_000, noteFiles: 200_000 };

/** @param shown How a number of bytes is written for people. */
export function examineDisk(what: string, path: string, shown: (bytes: number) => string): Finding {
  const { freeBytes, freeFiles } = diskRoom(path);
  const files = freeFiles ?? Number.POSITIVE_INFINITY;
  const found = `${what}: ${shown(freeBytes)} free${freeFiles === undefined ? '' : `, room for ${freeFiles} files`}, ${path}`;
  const state =
    freeBytes < room.badBytes || files < room.badFiles
      ? 'bad'
      : freeBytes < room.noteBytes || files < room.noteFiles
        ? 'note'
        : 'good';
  return {
    check: 'disk',
    state,
    found,
    ...(state !== 'good' && { mend: 'make room with vbuild clean and vbuild cache gc, or move it to a larger disk' }),
  };
}

/** Whether a folder can be written, and whether a lock in it keeps others out. What it takes to find out is removed. */
export async function examineLocks(what: string, folder: string, signal: AbortSignal): Promise<Finding> {
  try {
    // A folder that is not there yet will be made in the nearest one that is.
    let there = folder;
    while (!exists(there)) there = dirname(there);
    using scratch = temporaryFolder('.doctor', there);
    const path = join(scratch.path, 'lock');
    await using _lock = await acquireLock(path, { signal });
    const holds = await isLocked(path);
    return holds
      ? { check: 'locks', state: 'good', found: `${what}: can be written, and locks hold` }
      : {
          check: 'locks',
          state: 'bad',
          found: `${what}: locks in ${folder} keep nobody out`,
          mend: 'use a local file system that has locks',
        };
  } catch (thrown) {
    signal.throwIfAborted();
    const mend =
      thrown instanceof VbuildError ? thrown.mend : 'give this user the right to write there, or name another folder';
    return { check: 'locks', state: 'bad', found: `${what}: ${messageOf(thrown)}`, mend };
  }
}

/** How steps are kept apart from the machine here. */
export async function examineNamespaces(folder: string): Promise<Finding[]> {
  using scratch = temporaryFolder('vbuild-doctor', folder);
  const namespace = await findNamespace(scratch.path, canonicalRoot, true);
  const open = {
    check: 'sandbox',
    state: 'note',
    found: 'none can be made here: steps run with the network and the folders of the machine',
    mend: 'let this user make namespaces for mounts, processes and the network',
  } as const;
  if (namespace === undefined) {
    return [
      {
        check: 'namespaces',
        state: 'note',
        found: 'none can be made here: packages are compiled under padded paths',
        mend: 'allow unprivileged user namespaces, or run as root with CAP_SYS_ADMIN; artifacts are the same either way',
      },
      open,
    ];
  }
  const alone = namespace.processes === true ? ', with processes of its own' : '';
  const made = `a private mount namespace, as ${namespace.by}${alone}`;
  return [
    { check: 'namespaces', state: 'good', found: made },
    namespace.sealed === true ? await examineSandbox(namespace, scratch.path) : open,
  ];
}

async function examineSandbox(namespace: Namespace, folder: string): Promise<Finding> {
  const found = 'steps have no network and no homes';
  return (await watchesHomes(namespace, folder, canonicalRoot))
    ? { check: 'sandbox', state: 'good', found: `${found}, and what they reach for is named` }
    : {
        check: 'sandbox',
        state: 'note',
        found: `${found}; that they look into a home goes unnoticed, as FUSE cannot be used here`,
        mend: 'let this user read and write /dev/fuse',
      };
}

/**
 * Runs a command where one folder has another path: in a mount namespace of its own, made with `unshare` and `mount` of
 * util-linux, which every Debian has; all else stays as it is on the machine.
 * @see mount_namespaces(7), user_namespaces(7)
 */
import { join } from 'node:path';
import { makeFolder } from './files.ts';
import { type Finished, run } from './process.ts';
import { cutOff, hide, hideRunning, noting, protect, takeNote, watchHomes, withoutNote } from './sandbox.ts';

/** How this process gets a mount namespace: as root by right, else inside a user namespace, if the machine grants those. */
export interface Namespace {
  readonly by: 'root' | 'user';
  /** Whether the command's processes are among themselves as well: then the kernel ends all of them with the first, daemons too. */
  readonly processes?: boolean;
  /** Whether the command is locked in, too, see `sandbox.ts`; only with processes of its own. */
  readonly sealed?: boolean;
}

/** A folder of the machine and the path under which the command sees it. */
export interface Binding {
  readonly namespace: Namespace;
  /** Absolute path of an existing folder, with whatever characters. */
  readonly host: string;
  /** Absolute path below `mountPoint`; need not exist. */
  readonly seen: string;
  /** Whether the command has the machine's network even in a sealed namespace. */
  readonly network?: boolean;
}

/**
 * Hidden in the namespace under a private tmpfs, as a path to bind at can only be made where one may write. It must be on every
 * machine, and nothing that a build reads may lie below it: for /mnt that is not so (the work disk of cloud machines, the other
 * system's disks and the resolver's file under WSL), while /media is there for removable disks alone. A work folder on one of
 * those is no obstacle, as the script enters it first.
 */
export const mountPoint = '/media';

/** Where every Debian has it; not looked up, as a dependency's own would stand before it on the PATH of a step. */
const unshare = '/usr/bin/unshare';

/**
 * Arguments: host, seen, folder, then the command. The folder to bind is the working one, and `-c` keeps mount from spelling it
 * out, because its path may just have been hidden; `-n` keeps it from writing to the machine's /run/mount. Nothing of the shell's
 * own may reach the command, so that it finds the same environment with a namespace or without.
 */
function script({ processes, sealed, network }: Namespace & { readonly network: boolean }): string {
  const cut = sealed === true && !network;
  const whole = sealed ? `${withoutNote}; vbuild_status=$?; ${takeNote(cut)}; exit "$vbuild_status"` : '; exit "$?"';
  return [
    'cd "$1"',
    `mount -n -t tmpfs -o mode=0555 vbuild ${mountPoint}`,
    ...(sealed ? [hide] : []),
    'mount -n -c --bind -o X-mount.mkdir=0555 . "$2"',
    ...(sealed ? [watchHomes, hideRunning] : []),
    ...(cut ? [cutOff] : []),
    ...(sealed ? [protect] : []),
    'cd "$3"',
    'unset PWD OLDPWD',
    'shift 3',
    processes ? `{ "$@" ${whole}; }` : 'exec "$@"',
  ].join(' && ');
}

/** What unshare needs for a process namespace of its own, with a view of it. */
const ownProcesses = ['--pid', '--fork', '--kill-child', '--mount-proc'];

/** What root keeps of its powers: those over files, users and resources. Nothing that mounts, makes devices, or reaches for other processes. */
const powers =
  'chown dac_override fowner fsetid kill setgid setuid setpcap setfcap net_bind_service sys_chroot sys_nice sys_resource ipc_lock lease';
const withoutPowers = [
  '/usr/bin/setpriv',
  `--bounding-set=-all,+${powers.replaceAll(' ', ',+')}`,
  '--inh-caps=-all',
  '--',
];

/**
 * The command that runs `argv` in `folder` with the binding in place: same user and groups, descriptors inherited; the same process,
 * unless it gets a namespace for its processes, where the shell stays as the first of them, since signals mean nothing to that one.
 * Where a user namespace was needed to mount, a second one inside it gives the user's own ids back, and with them no more rights than
 * before: what runs there cannot undo the mounts, which belong to the outer one.
 *
 * @param folder Absolute, as seen.
 * @returns To be started in any folder; fails with the status and words of `mount` when the binding is refused.
 */
export function inNamespace(binding: Binding, folder: string, argv: readonly string[]): string[] {
  const { namespace, host, seen, network = false } = binding;
  const set = ['/bin/sh', '-c', script({ ...namespace, network }), 'namespace', host, seen, folder];
  const cut = namespace.sealed === true && !network;
  const ways = [
    '--mount',
    ...(namespace.processes ? ownProcesses : []),
    ...(namespace.sealed ? ['--ipc'] : []),
    ...(cut ? ['--net'] : []),
    '--',
  ];
  const { uid, gid } = ids();
  const back = [unshare, '--user', `--map-user=${uid}`, `--map-group=${gid}`, '--'];
  const whole = {
    root: () => [unshare, ...ways, ...set, ...(namespace.sealed ? withoutPowers : []), ...argv],
    user: () => [unshare, '--user', '--map-root-user', ...ways, ...set, ...back, ...argv],
  }[namespace.by]();
  return namespace.sealed ? noting(host, whole) : whole;
}

/**
 * Tries out which way works here; containers, hardened kernels and AppArmor forbid one or both.
 *
 * @param folder Absolute path of an existing folder that the caller removes, on the file system of those that will be bound.
 * @param seen   As in `Binding`.
 * @param seal   Whether commands are to be locked in where that can be.
 * @returns `undefined` when there is no way.
 */
export async function findNamespace(folder: string, seen: string, seal = false): Promise<Namespace | undefined> {
  const { uid } = ids();
  const users = uid === 0 ? (['root', 'user'] as const) : (['user'] as const);
  // Many a container lets nobody mount /proc.
  const plain = users.flatMap((by): Namespace[] => [{ by, processes: true }, { by }]);
  const namespaces = [...(seal ? users.map((by): Namespace => ({ by, processes: true, sealed: true })) : []), ...plain];
  for (const namespace of namespaces) {
    const { exitStatus, stdout } = await tried(namespace, folder, seen, 'test -w . && id -u && pwd -P');
    if (exitStatus === 0 && stdout === `${uid}\n${seen}`) return namespace;
  }
  return undefined;
}

/** Whether what commands seek in homes is noted in a sealed namespace here; as for `findNamespace`. */
export const watchesHomes = async (namespace: Namespace, folder: string, seen: string): Promise<boolean> =>
  (await tried(namespace, folder, seen, 'grep -q "^vbuild /root fuse" /proc/self/mounts')).exitStatus === 0;

async function tried(namespace: Namespace, folder: string, seen: string, text: string): Promise<Finished> {
  // What is noted beside it goes with the folder.
  const host = join(folder, 'bound');
  makeFolder(host);
  return run({
    argv: inNamespace({ namespace, host, seen }, seen, ['/bin/sh', '-c', text]),
    cwd: host,
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
    timeoutMs: 10_000,
  });
}

function ids(): { readonly uid: number; readonly gid: number } {
  if (process.geteuid === undefined || process.getegid === undefined) throw new Error('a system without user ids');
  return { uid: process.geteuid(), gid: process.getegid() };
}

/**
 * Makes a command find another machine around it: another host name, another user, one processor. Nothing of what it may do changes: to the
 * kernel it is still this user's, so that files stay ours.
 * @see user_namespaces(7), uts_namespaces(7), taskset(1)
 */
import { hostname } from 'node:os';
import { readIfThere } from './files.ts';
import { run } from './process.ts';

interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** Name of the group; its number where it has none. */
  readonly group: string;
}

/** What a command is to find otherwise; what is not given stays as it is. */
export interface Disguise {
  readonly host?: string;
  /** Only together with a host name. */
  readonly user?: User;
  /** The number of the only processor that it may use. */
  readonly processor?: number;
}

/** What processes find on this machine when nothing is changed. */
interface Surroundings {
  readonly host: string;
  readonly user: User;
  /** Numbers of the processors that may be used, ascending. */
  readonly processors: readonly number[];
}

const unshare = '/usr/bin/unshare';
const rename = '/bin/hostname "$1" && shift && exec "$@"';

/** The command that runs `argv` so disguised; the same process, descriptors inherited. */
export function disguised(argv: readonly string[], { host, user, processor }: Disguise): string[] {
  const pinned = processor === undefined ? argv : ['/usr/bin/taskset', '-c', String(processor), ...argv];
  if (host === undefined) return [...pinned];
  const renamed = ['/bin/sh', '-c', rename, 'disguise', host];
  if (user === undefined) return [unshare, '--uts', '--', ...renamed, ...pinned];
  const become = [unshare, '--user', `--map-user=${user.uid}`, `--map-group=${user.gid}`, '--'];
  return [unshare, '--user', '--map-root-user', '--uts', '--', ...renamed, ...become, ...pinned];
}

export function surroundings(): Surroundings {
  const uid = process.geteuid?.() ?? 0;
  const own = users().find((one) => one.uid === uid);
  const allowed = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readIfThere('/proc/self/status') ?? '')?.[1] ?? '0';
  const processors = allowed.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, at) => first + at);
  });
  const gid = process.getegid?.() ?? 0;
  const user = own ?? { name: String(uid), uid, gid, group: groupNames().get(gid) ?? String(gid) };
  return { host: hostname(), user, processors };
}

/** As much of a disguise as this machine allows, from trying it out. */
export async function findDisguise(signal: AbortSignal): Promise<Disguise> {
  const { host, user, processors } = surroundings();
  const other = { host: otherHost(host) };
  const stranger = otherUser(user);
  const alone = processors.length > 1 ? { processor: processors.at(-1) ?? 0 } : {};
  const works = async (disguise: Disguise, command: string, said: string): Promise<boolean> => {
    const argv = disguised(['/bin/sh', '-c', command], disguise);
    const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };
    const { exitStatus, stdout } = await run({ argv, cwd: '/', env, signal, timeoutMs: 10_000 });
    return exitStatus === 0 && stdout === said;
  };
  const whole = { ...other, user: stranger };
  const names = (await works(whole, 'hostname && id -un', `${other.host}\n${stranger.name}`))
    ? whole
    : (await works(other, 'hostname', other.host))
      ? other
      : {};
  return { ...names, ...((await works(alone, 'nproc', '1')) ? alone : {}) };
}

/** Of the same length, so that what holds it differs in these bytes alone. */
export function otherHost(host: string): string {
  const turned = host.replace(/[a-zA-Z0-9]/g, (one) => {
    if (/\d/.test(one)) return String(9 - Number(one));
    const base = one < 'a' ? 65 : 97;
    return String.fromCharCode(base + ((one.charCodeAt(0) - base + 13) % 26));
  });
  return turned === host ? 'elsewhere' : turned;
}

/** One that the machine knows by name, of the same length where there is such a one. */
function otherUser(own: User): User {
  const isOther = (id: number, ownId: number): boolean => id !== ownId && id > 0 && id < 65_534;
  const others = users().filter(({ uid, gid }) => isOther(uid, own.uid) && isOther(gid, own.gid));
  const alike = others.find(({ name }) => name.length === own.name.length);
  return alike ?? others[0] ?? { name: '65533', uid: 65_533, gid: 65_533, group: '65533' };
}

function users(): User[] {
  const groups = groupNames();
  return lines('/etc/passwd').flatMap(([name = '', , uid, gid]) =>
    name === '' || uid === undefined || gid === undefined
      ? []
      : [{ name, uid: Number(uid), gid: Number(gid), group: groups.get(Number(gid)) ?? gid }],
  );
}

const groupNames = (): ReadonlyMap<number, string> =>
  new Map(lines('/etc/group').map(([name = '', , gid]) => [Number(gid), name]));

const lines = (file: string): string[][] => (readIfThere(file) ?? '').split('\n').map((line) => line.split(':'));

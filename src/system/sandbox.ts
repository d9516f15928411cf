/**
 * Locks a command in: no network but the loopback, of the machine's folders only those that belong to the system, and a note of what it
 * reached for beyond that. Pieces for the script of a mount namespace that is its processes' and network's, too, see `namespace.ts`. It keeps
 * builds honest; it is no cage for enemies.
 * @see network_namespaces(7); RFC 1035, section 4.1, for the messages that the name server takes apart
 */
import { join } from 'node:path';
import { readIfThere } from './files.ts';
import { removeFile } from './tree-edit.ts';

/** What a command reached for although nobody gave it. */
export interface Reached {
  /** Host names that it asked for. */
  readonly names: readonly string[];
  /** Whether it sent anything to an address that is not this machine's. */
  readonly addresses: boolean;
  /** Absolute paths of what it wrote where the user's folders are otherwise. */
  readonly files: readonly string[];
}

/** In the folder that is bound; not inside the trees that are looked at. */
const noteName = '.reached';

/** What belongs to the system; all other folders at the top are the machine's users'. */
const ofTheSystem = '/bin|/boot|/dev|/etc|/lib*|/media|/nix|/opt|/proc|/run|/sbin|/sys|/usr|/var';

/**
 * Brings the loopback up and answers every question for a name with "there is none", noting the name; perl belongs to every Debian. The
 * first process ends when the second one listens. One line, as it stands in the head of logs. Numbers: AF_INET, SOCK_DGRAM, IPPROTO_UDP, SIOCSIFFLAGS with UP, LOOPBACK and RUNNING.
 */
const nameServer = `my $up = pack("a16sx22", "lo", 0x49); my $any = pack("Sna4x8", 2, 53, "");
socket(S, 2, 2, 17) && ioctl(S, 0x8914, $up) && socket(D, 2, 2, 17) && bind(D, $any) && open(N, ">>", shift) or exit 1;
defined(my $pid = fork) or exit 1;
exit if $pid;
open STDIN, "</dev/null"; open STDOUT, ">/dev/null"; open STDERR, ">/dev/null";
while (defined(my $from = recv D, my $q, 512, 0)) {
  my ($at, @name) = 12;
  while ($at < length $q and my $n = ord substr $q, $at, 1) { push @name, substr $q, $at + 1, $n; $at += $n + 1 }
  syswrite N, "name " . join(".", @name) . "\\n";
  substr($q, 2, 2) = "\\x81\\x83";
  send D, $q, 0, $from;
}`.replaceAll('\n', ' ');

/** Shell words that hide what is not the system's; to be run where /media is hidden already, with the bound folder as `$2`. */
export const hide = [
  `for vbuild_top in /*; do case $vbuild_top in ${ofTheSystem}) ;; *) [ -L "$vbuild_top" ] || [ ! -d "$vbuild_top" ] || mount -n -t tmpfs -o mode=1777 vbuild "$vbuild_top" || exit 1 ;; esac; done`,
  'mount -n -t tmpfs -o mode=1777 vbuild /var/tmp',
].join(' && ');

/** Shell words that begin a note in the folder that is bound at `$2`. */
export const beginNote = `: >"$2/${noteName}"`;

/** Shell words that leave the command without a network, once the folder is bound at `$2`; sockets in /run would lead around it. */
export const cutOff = [
  'mount -n -t tmpfs -o mode=0755 vbuild /run',
  `/usr/bin/perl -e '${nameServer}' "$2/${noteName}"`,
  'echo nameserver 127.0.0.1 >/run/resolv.conf',
  '{ [ ! -e /etc/resolv.conf ] || mount -n --bind /run/resolv.conf /etc/resolv.conf; }',
].join(' && ');

/** Shell words that note what is left to be noted when the command has ended; `vbuild_seen` is where the folder is bound. */
export const takeNote = [
  `exec >>"$vbuild_seen/${noteName}" 2>/dev/null`,
  '/usr/bin/sed "s/^/net /" /proc/net/snmp',
  `for vbuild_top in /*; do case $vbuild_top in ${ofTheSystem}|/tmp) ;; *) [ -L "$vbuild_top" ] || /usr/bin/find "$vbuild_top" -xdev -mindepth 1 ! -type d -printf "file %p\\n" ;; esac; done`,
].join('; ');

/**
 * Reads and removes the note.
 *
 * @param folder Absolute path of the bound folder on this machine.
 * @param host   Name of this machine, for which many a program asks without meaning anything by it.
 * @returns Nothing reached for where there is no note, as when the command was killed.
 */
export function reachedFor(folder: string, host: string): Reached {
  const file = join(folder, noteName);
  const note = readIfThere(file);
  if (note === undefined) return { names: [], addresses: false, files: [] };
  removeFile(file);
  const all = (kind: string): string[] => [
    ...new Set(note.split('\n').flatMap((line) => (line.startsWith(`${kind} `) ? [line.slice(kind.length + 1)] : []))),
  ];
  const own = new Set(['localhost', host]);
  return {
    names: all('name').filter((name) => !own.has(name.split('.')[0] ?? '') && !own.has(name)),
    addresses: counterOf(all('net'), 'Ip', 'OutNoRoutes') > 0,
    files: all('file'),
  };
}

/** @param lines Of /proc/net/snmp: for each protocol one with the names of its counters, then one with their values. */
function counterOf(lines: readonly string[], protocol: string, counter: string): number {
  const [names = '', values = ''] = lines.filter((line) => line.startsWith(`${protocol}: `));
  const at = names.split(' ').indexOf(counter);
  return Number(values.split(' ')[at] ?? 0) || 0;
}

/**
 * Locks a command in: no network but the loopback, of the machine's folders only those that belong to the system, and a note of what it
 * reached for beyond that. Pieces for the script of a mount namespace that is its processes' and network's, too, see `namespace.ts`. It keeps
 * builds honest; it is no cage for enemies.
 * @see network_namespaces(7); RFC 1035, section 4.1, for the messages that the name server takes apart; fuse(4) for those of the file system
 */
import { arch } from 'node:process';
import { join } from 'node:path';
import { exists, readIfThere } from './files.ts';
import { removeFile } from './tree-edit.ts';

/** What a command reached for although nobody gave it. */
export interface Reached {
  /** Host names that it asked for. */
  readonly names: readonly string[];
  /** Whether it sent anything to an address that is not this machine's. */
  readonly addresses: boolean;
  /** Absolute paths of what it sought in a home and a home of this machine has, of what it tried to make there, and of homes that it listed. */
  readonly homes: readonly string[];
  /** Absolute paths of what it wrote where other folders of users are, or homes that are not watched. */
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

/** Where the homes of users are. */
const homes = ['/root', '/home'];

/**
 * In place of each home an empty file system of its own, which notes what is sought, made and listed there, and has nothing. Arguments: the number of the
 * system call mount, the note, the homes. It prints those that it watches: none where the machine has no FUSE, or forbids it. One line, as it
 * stands in the head of logs. Numbers: MS_NOSUID and MS_NODEV; ENOENT and EINTR of a request that was given up; FORGET, INTERRUPT and BATCH_FORGET,
 * which want no answer; INIT (protocol 7.19), LOOKUP, GETATTR of the one folder that there is, OPENDIR, READDIR, RELEASEDIR, STATFS; SYMLINK,
 * MKNOD, MKDIR and CREATE with the places of their names; ACCESS and extended attributes, of which it knows nothing (ENOSYS); EROFS.
 */
const emptyHomes = `my ($call, $note, @tops) = @ARGV; open(N, ">>", $note) or exit;
for my $top (@tops) {
  next if -l $top or not -d _ or not open(F, "+<", "/dev/fuse");
  my @how = ("vbuild\\0", "$top\\0", "fuse\\0", "fd=" . fileno(F) . ",rootmode=40777,user_id=0,group_id=0,allow_other\\0");
  next unless syscall($call, @how[0 .. 2], 6, $how[3]) == 0;
  defined(my $pid = fork) or exit 1;
  if ($pid) { print "$top "; next }
  open STDIN, "</dev/null"; open STDOUT, ">/dev/null"; open STDERR, ">/dev/null";
  my (%noted, %made); @made{6, 8, 9, 35} = (40, 56, 48, 56);
  my $found = sub { my $at = join " ", @_; syswrite N, "$at\\n" unless $noted{$at}++ };
  while (1) {
    my $size = sysread F, my $q, 135168;
    next if !defined $size && ($! == 2 || $! == 4);
    last unless $size;
    my ($op, $id) = unpack "x4LQ", $q; my ($error, $answer) = (0, "");
    next if $op == 2 || $op == 36 || $op == 42;
    if ($op == 26) { $answer = pack "LLLLSSL", 7, 19, 0, 0, 8, 6, 4096 }
    elsif ($op == 1) { $found->("sought", "$top/" . unpack "x40Z*", $q); $error = -2 }
    elsif ($op == 3) { $answer = pack "QLLQQQQQQLLLLLLLLLL", 0, 0, 0, 1, (0) x 8, 040777, 2, 0, 0, 0, 4096, 0 }
    elsif ($op == 27) { $answer = pack "x16" }
    elsif ($op == 28) { $found->("home", $top) }
    elsif ($made{$op}) { $found->("home", "$top/" . unpack "x$made{$op}Z*", $q); $error = -30 }
    elsif ($op == 17) { $answer = pack "x80" }
    elsif ($op != 29) { $error = $op == 34 || $op > 20 && $op < 25 ? -38 : -30 }
    syswrite F, pack("LlQ", 16 + length $answer, $error, $id) . $answer;
  }
  exit;
}`.replaceAll(/\n */g, ' ');

/** By the names that Node gives to processors. */
const mountCalls: Readonly<Record<string, number>> = { x64: 165, arm64: 40 };

/** Shell words that hide what is not the system's; to be run where /media is hidden already, with the bound folder as `$2`. */
export const hide = [
  `for vbuild_top in /*; do case $vbuild_top in ${ofTheSystem}) ;; *) [ -L "$vbuild_top" ] || [ ! -d "$vbuild_top" ] || mount -n -t tmpfs -o mode=1777 vbuild "$vbuild_top" || exit 1 ;; esac; done`,
  'mount -n -t tmpfs -o mode=1777 vbuild /var/tmp',
].join(' && ');

/**
 * Shell words that let nobody write to the system, not even root, once everything is mounted that is to be written to; a user who may not
 * write there anyway need not be allowed to do this.
 */
export const writeProtect =
  'for vbuild_top in / /boot /etc /nix /opt /usr /var; do mount -n -o remount,bind,ro "$vbuild_top" 2>/dev/null || :; done';

/** Shell words that begin a note in the folder that is bound at `$2`. */
export const beginNote = `: >"$2/${noteName}"`;

/** Shell words that have looks into homes noted, too, where that can be; after the note was begun. */
export const watchHomes = `{ vbuild_watched=$(/usr/bin/perl -e '${emptyHomes}' ${mountCalls[arch] ?? 0} "$2/${noteName}" ${homes.join(' ')}) || :; }`;

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
  `for vbuild_top in /*; do case $vbuild_top in ${ofTheSystem}|/tmp) ;; *) case " $vbuild_watched " in *" $vbuild_top "*) continue ;; esac; [ -L "$vbuild_top" ] || /usr/bin/find "$vbuild_top" -xdev -mindepth 1 ! -type d -printf "file %p\\n" ;; esac; done`,
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
  if (note === undefined) return nothing;
  removeFile(file);
  const all = (kind: string): string[] => [
    ...new Set(note.split('\n').flatMap((line) => (line.startsWith(`${kind} `) ? [line.slice(kind.length + 1)] : []))),
  ];
  const own = new Set(['localhost', host]);
  return {
    names: all('name').filter((name) => !own.has(name.split('.')[0] ?? '') && !own.has(name)),
    addresses: counterOf(all('net'), 'Ip', 'OutNoRoutes') > 0,
    // What nobody has here would not be found without a sandbox, either.
    homes: [...new Set([...all('sought').filter(exists), ...all('home')])],
    files: all('file'),
  };
}

const nothing: Reached = { names: [], addresses: false, homes: [], files: [] };

/** @param lines Of /proc/net/snmp: for each protocol one with the names of its counters, then one with their values. */
function counterOf(lines: readonly string[], protocol: string, counter: string): number {
  const [names = '', values = ''] = lines.filter((line) => line.startsWith(`${protocol}: `));
  const at = names.split(' ').indexOf(counter);
  return Number(values.split(' ')[at] ?? 0) || 0;
}

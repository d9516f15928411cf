/**
 * Locks a command in: no network but the loopback, of the machine's folders only those that belong to the system, and a note of what it
 * reached for beyond that. Pieces for the script of a mount namespace that is its processes' and network's, too, see `namespace.ts`. It keeps
 * builds honest; it is no cage for enemies.
 * @see network_namespaces(7); RFC 1035, section 4.1, for the messages that the name server takes apart; fuse(4) for those of the file system
 */
import { arch } from 'node:process';
import { exists, readIfThere } from './files.ts';
import { removeFile } from './tree-edit.ts';

/** What a command reached for although nobody gave it. */
export interface Reached {
  /** Host names that it asked for. */
  readonly names: readonly string[];
  /** Addresses that are not its own and to which it sent anything, with the port: `192.0.2.1:80`, `[2001:db8::1]:443`; `192.0.2.1` as of ping. */
  readonly addresses: readonly string[];
  /** Absolute paths of what it sought in a home and a home of this machine has, of what it tried to make there, and of homes that it listed. */
  readonly homes: readonly string[];
  /** Absolute paths of what it wrote where other folders of users are, or homes that are not watched. */
  readonly files: readonly string[];
}

/** Beside the folder that is bound, where the command does not see it; those who write into it have it open as descriptor 9. */
const noteOf = (folder: string): string => `${folder}.reached`;

/** What belongs to the system; all other folders at the top are the machine's users'. */
const ofTheSystem = 'bin|boot|dev|etc|lib*|media|nix|opt|proc|run|sbin|sys|usr|var';
const theirTops = `/${ofTheSystem.replaceAll('|', '|/')}`;

/**
 * Brings the loopback up and lets it have every address, so that what is sent to another machine is refused at once and can be seen. Answers every
 * question for a name with "there is none", noting the name, and before each answer notes what was sent where. The first process ends
 * when the second one listens; perl belongs to every Debian. One line, as it stands in the head of logs. Numbers: AF_INET, SOCK_DGRAM, IPPROTO_UDP, SIOCSIFFLAGS
 * with UP, LOOPBACK and RUNNING; AF_PACKET with ETH_P_ALL, SOL_SOCKET with SO_ATTACH_FILTER, whose program passes what is for an address
 * outside 127/8 and ::/32; AF_NETLINK, RTM_NEWROUTE with REQUEST and CREATE, table local, protocol boot, scope host, type local, with RTA_OIF (the
 * loopback is always 1) and RTA_PREFSRC; MSG_DONTWAIT; TCP, UDP, DCCP and SCTP, which begin with their ports.
 */
const catcher = `my $up = pack("a16sx22", "lo", 0x49); my $any = pack("Sna4x8", 2, 53, "");
open(N, ">>&=", 9) && socket(S, 2, 2, 17) && ioctl(S, 0x8914, $up) && socket(D, 2, 2, 17) && bind(D, $any) or exit 1;
my $pass = pack("(SCCL)*", 48, 0, 0, 0, 84, 0, 0, 240, 21, 0, 2, 64, 48, 0, 0, 16, 21, 2, 3, 127, 32, 0, 0, 24, 21, 0, 1, 0, 6, 0, 0, 0, 6, 0, 0, 64);
my $sees = socket(P, 17, 2, 0x300) && setsockopt(P, 1, 26, pack("Sx6P", length($pass) / 8, $pass)) && socket(R, 16, 3, 0);
for ($sees ? ([2, "\\x7f\\0\\0\\1"], [10, "\\0" x 15 . "\\1"]) : ()) {
  my ($family, $own) = @$_; my $by = pack "SSLSSa*", 8, 4, 1, 4 + length $own, 7, $own;
  send R, pack("LSSx8Cx3C4x4a*", 28 + length $by, 24, 0x401, $family, 255, 3, 254, 2, $by), 0;
}
defined(my $pid = fork) or exit 1;
exit if $pid;
open STDIN, "</dev/null"; open STDOUT, ">/dev/null"; open STDERR, ">/dev/null";
my %noted; my $note = sub { my $at = join " ", @_; syswrite N, "$at\\n" unless $noted{$at}++ };
while (defined(my $from = recv D, my $q, 512, 0)) {
  while ($sees && defined recv P, my $p, 64, 64) {
    my $six = ord($p) >> 4 == 6; my ($kind, $to) = unpack $six ? "x6Cx17a16" : "x9Cx6a4", $p; require Socket;
    my $port = (grep { $_ == $kind } 6, 17, 33, 132) && unpack "n", substr $p, $six ? 42 : 2 + 4 * (ord($p) & 15);
    my $at = Socket::inet_ntop($six ? 10 : 2, $to);
    $note->("to", $port ? $six ? "[$at]:$port" : "$at:$port" : $at) if $port || ord($to) < ($six ? 255 : 224);
  }
  my ($at, @name) = 12;
  while ($at < length $q and my $n = ord substr $q, $at, 1) { push @name, substr $q, $at + 1, $n; $at += $n + 1 }
  $note->("name", join ".", @name) if @name;
  substr($q, 2, 2) = "\\x81\\x83";
  send D, $q, 0, $from;
}`.replaceAll(/\n */g, ' ');

/** Asks it for the name of nothing, again where it does not answer; with the answer, all that was sent before is noted. */
const askCatcher = `socket(S, 2, 2, 17) && connect(S, pack("Sna4x8", 2, 53, "\\x7f\\0\\0\\1")) or exit;
for (1 .. 9) { send S, "\\0" x 12, 0; my $answered = ""; vec($answered, fileno S, 1) = 1; last if select $answered, undef, undef, 1 }`.replaceAll(
  /\n */g,
  ' ',
);

/** Where the homes of users are. */
const homes = ['/root', '/home'];

/**
 * In place of each home an empty file system of its own, which notes what is sought, made and listed there, and has nothing. Arguments: the number of the
 * system call mount, the homes. It prints those that it watches: none where the machine has no FUSE, or forbids it. One line, as it
 * stands in the head of logs. Numbers: MS_NOSUID and MS_NODEV; ENOENT and EINTR of a request that was given up; FORGET, INTERRUPT and BATCH_FORGET,
 * which want no answer; INIT (protocol 7.19), LOOKUP, GETATTR of the one folder that there is, OPENDIR, READDIR, RELEASEDIR, STATFS; SYMLINK,
 * MKNOD, MKDIR and CREATE with the places of their names; ACCESS and extended attributes, of which it knows nothing (ENOSYS); EROFS.
 */
const emptyHomes = `my ($call, @tops) = @ARGV; open(N, ">>&=", 9) or exit;
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
const mountCall = { x64: 165, arm64: 40 }[arch as string] ?? 0;

/**
 * Shell words that hide what is not the system's; to be run where /media is hidden already, with the bound folder as `$2`. `vbuild_hidden`
 * names what is: a folder that comes up beside them later is none that the command made.
 */
export const hide = [
  'vbuild_hidden=',
  `for vbuild_top in /*; do case $vbuild_top in ${theirTops}) ;; *) [ -L "$vbuild_top" ] || [ ! -d "$vbuild_top" ] || { mount -n -t tmpfs -o mode=1777 vbuild "$vbuild_top" && vbuild_hidden=$vbuild_hidden$vbuild_top/; } || exit 1 ;; esac; done`,
  'mount -n -t tmpfs -o mode=1777 vbuild /var/tmp',
].join(' && ');

/**
 * Leaves only such devices as every container has, with terminals and shared memory of the command's own; and lets nobody write to the system or
 * steer it, not even root, save where that is refused: a user need not be allowed to forbid it. Argument: the number of the system call
 * mount. Numbers: MS_BIND, MS_MOVE, MS_REMOUNT with MS_BIND and MS_RDONLY, and what else a mount may be, which no remount may take away.
 */
const protection = `my $call = shift; my $dev = "/media/dev";
my $mount = sub { my @at = map "$_", @_[0 .. 2]; my $data = "$_[4]"; syscall($call, @at, 0 + $_[3], $data) == 0 };
mkdir $dev; $mount->("vbuild", $dev, "tmpfs", 0, "mode=0755") && mkdir("$dev/pts") && mkdir("$dev/shm") or exit 1;
for (grep -e "/dev/$_", qw(null zero full random urandom tty)) { open(F, ">", "$dev/$_") && close(F) && $mount->("/dev/$_", "$dev/$_", "", 4096, "") or exit 1 }
$mount->("vbuild", "$dev/pts", "devpts", 0, "newinstance,ptmxmode=0666,mode=0620") && $mount->("vbuild", "$dev/shm", "tmpfs", 0, "mode=1777") or exit 1;
my %links = ("ptmx", "pts/ptmx", "fd", "/proc/self/fd", "stdin", "fd/0", "stdout", "fd/1", "stderr", "fd/2");
symlink $links{$_}, "$dev/$_" for keys %links;
$mount->($dev, "/dev", "", 8192, "") && rmdir $dev or exit 1;
$mount->($_, $_, "", 4096, "") for grep -e, qw(/proc/sys /proc/sysrq-trigger /proc/irq /proc/bus /proc/fs);
open(M, "<", "/proc/self/mounts") or exit 1;
for (<M>) {
  my (undef, $at, undef, $how) = split; $at =~ s/\\\\(\\d{3})/chr oct $1/ge;
  next if $at !~ m{^/(${ofTheSystem.replaceAll('*', '[^/]*')})?(/|$)} || $at =~ m{^/(dev|run|media|var/tmp)(/|$)|^/proc$};
  my %is = map { $_, 1 } split /,/, $how;
  $mount->("vbuild", $at, "", 4129 + 2 * $is{nosuid} + 4 * $is{nodev} + 8 * $is{noexec}, "");
}`.replaceAll(/\n */g, ' ');

/** Shell words that do so, once everything is mounted that is to be written to. */
export const protect = `/usr/bin/perl -e '${protection}' ${mountCall}`;

/**
 * The command that begins the note about a folder and runs `argv`; outside of the namespace, whose mounts could not be made read-only while a
 * file on them is open to be written to.
 */
export const noting = (folder: string, argv: readonly string[]): string[] => [
  '/bin/sh',
  '-c',
  'exec 9>"$1"; shift; exec "$@"',
  'note',
  noteOf(folder),
  ...argv,
];

/** What a shell says of a command that is not to have the note. */
export const withoutNote = '9>&-';

/** Shell words that have looks into homes noted, too, where that can be; after the note was begun. */
export const watchHomes = `{ vbuild_watched=$(/usr/bin/perl -e '${emptyHomes}' ${mountCall} ${homes.join(' ')}) || :; }`;

/** Shell words that leave nothing of what runs on the machine to talk to, sockets of agents and daemons, but say where to ask for names. */
export const hideRunning = [
  'vbuild_at=$(readlink -m /etc/resolv.conf) && { vbuild_text=$(cat /etc/resolv.conf 2>/dev/null) || :; } && mount -n -t tmpfs -o mode=0755 vbuild /run',
  'case $vbuild_at in /run/*) mkdir -p "${vbuild_at%/*}" && printf "%s\\n" "$vbuild_text" >"$vbuild_at" ;; esac',
].join(' && ');

/**
 * Shell words that leave the command without a network, once /run is hidden. Of names it knows its own: those that the machine has for others
 * would be reached for without being asked for.
 */
export const cutOff = [
  `/usr/bin/perl -e '${catcher}'`,
  'printf "nameserver 127.0.0.1\\nsearch .\\n" >/run/resolv.conf',
  'printf "127.0.0.1 localhost\\n::1 localhost\\n127.0.1.1 %s\\n" "$(uname -n)" >/run/hosts',
  'for vbuild_file in resolv.conf hosts; do [ ! -e "/etc/$vbuild_file" ] || mount -n --bind "/run/$vbuild_file" "/etc/$vbuild_file" || exit 1; done',
].join(' && ');

/** Shell words that note what is left to be noted when the command has ended; what was sent, where it was cut off. */
export const takeNote = (cut: boolean): string =>
  [
    'exec >&9 2>/dev/null',
    ...(cut ? [`/usr/bin/perl -e '${askCatcher}'`] : []),
    'for vbuild_top in /*; do case "$vbuild_hidden" in *"$vbuild_top/"*) case " /tmp $vbuild_watched " in *" $vbuild_top "*) ;; *) /usr/bin/find "$vbuild_top" -xdev -mindepth 1 ! -type d -printf "file %p\\n" ;; esac ;; esac; done',
  ].join('; ');

/**
 * Reads and removes the note.
 *
 * @param folder Absolute path of the bound folder on this machine.
 * @param hosts  Names of this machine, for which many a program asks without meaning anything by it.
 * @returns Nothing reached for where there is no note, as when the command was killed.
 */
export function reachedFor(folder: string, hosts: readonly string[]): Reached {
  const note = readIfThere(noteOf(folder));
  if (note === undefined) return nothing;
  removeFile(noteOf(folder));
  const all = (kind: string): string[] => [
    ...new Set(note.split('\n').flatMap((line) => (line.startsWith(`${kind} `) ? [line.slice(kind.length + 1)] : []))),
  ];
  const own = new Set(['localhost', ...hosts]);
  return {
    names: all('name').filter((name) => !own.has(name.split('.')[0] ?? '') && !own.has(name)),
    addresses: all('to'),
    // What nobody has here would not be found without a sandbox, either.
    homes: [...new Set([...all('sought').filter(exists), ...all('home')])],
    files: all('file'),
  };
}

const nothing: Reached = { names: [], addresses: [], homes: [], files: [] };

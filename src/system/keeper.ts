/**
 * A small process between this one and a program, which keeps all that descends from the program in its reach, whatever sessions that makes
 * and whatever parents it loses, and ends it when the program has ended, or this process, be it by force. Perl belongs to every Debian.
 * @see prctl(2), PR_SET_CHILD_SUBREAPER and PR_SET_PDEATHSIG
 */
import { existsSync } from 'node:fs';
import { arch, pid as ownPid } from 'node:process';

/** Not looked up, as a dependency's own would stand before it on the PATH of a step. */
const perl = '/usr/bin/perl';

/** By the names that Node gives to processors. */
const prctlCalls: Readonly<Record<string, number>> = { x64: 157, arm64: 167 };

/**
 * Arguments: the number of the system call prctl, the process that started this one, the file of the note or nothing, its first lines, how many
 * variables there are, these, then the program. Numbers: SUBREAPER, PDEATHSIG, SIGUSR1 and SIGKILL; WNOHANG; ENOENT.
 *
 * Of what is open the program gets its streams and, as descriptor 3, the pool of jobs: who started us may have more open, such as a lock or a secret.
 *
 * What is killed here are children of this very process that nobody has waited for, so that their numbers can be nobody else's. The alarm is for
 * a signal that comes just before a wait, which perl would go on with.
 */
const script = `use strict; my ($call, $from, $note, $head, $count, @words) = @ARGV; my ($step, $status);
my @deaf = ("TERM", "INT", "HUP"); $SIG{$_} = "IGNORE" for @deaf;
$SIG{USR1} = $SIG{ALRM} = sub { kill 9, $step if $step and getppid != $from; alarm 1 };
syscall $call, 36, 1, 0, 0, 0; syscall $call, 1, 10, 0, 0, 0;
exit 137 if getppid != $from;
umask 022;
sub text { local $/; open my $file, "<", $_[0] or return ""; my $text = <$file>; return $text // "" }
if ($note ne "" and open my $file, ">", "$note/$$") { print $file $head, "\\n", text("/proc/self/stat"); close $file }
defined($step = fork) or do { print STDERR "fork: $!\\n"; exit 126 };
unless ($step) {
  syscall $call, 1, 9, 0, 0, 0;
  $SIG{$_} = "DEFAULT" for @deaf, "USR1", "ALRM";
  opendir my $open, "/proc/self/fd"; for (grep $_ > 3, readdir $open) { open F, "<&=", $_ and close F }
  %ENV = (); for (splice @words, 0, $count) { my ($name, $value) = split /=/, $_, 2; $ENV{$name} = $value }
  exec { $words[0] } @words;
  print STDERR "$words[0]: ", $! == 2 ? "not found" : $!, "\\n"; exit($! == 2 ? 127 : 126);
}
alarm 1; until (defined $status) { $status = $? if waitpid(-1, 0) == $step }
alarm 0; $SIG{USR1} = "IGNORE";
for (1 .. 500) {
  my $pid; 1 while ($pid = waitpid -1, 1) > 0; last if $pid < 0;
  opendir my $proc, "/proc"; for my $one (grep /^\\d/, readdir $proc) { kill 9, $one if text("/proc/$one/stat") =~ /^\\d+ \\(.*\\) \\S $$ /s }
  select undef, undef, undef, 0.01;
}
exit($status & 127 ? 128 + ($status & 127) : $status >> 8)`;

/** What a program is started with. */
export interface Start {
  readonly argv: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * The same program with umask 022 and, on a machine that has perl, with a keeper, which ends with its status, as a shell would have it.
 *
 * @param note Text that the keeper writes, with its line of `/proc/PID/stat` after it, into a file in this folder (absolute) named by its number.
 */
export function kept({ argv, env }: Start, note?: { readonly folder: string; readonly head: string }): Start {
  const call = prctlCalls[arch];
  if (call === undefined || !existsSync(perl))
    return { argv: ['/bin/sh', '-c', 'umask 022 && exec "$@"', 'step', ...argv], env };
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const given = [call, ownPid, note?.folder ?? '', note?.head ?? '', variables.length].map(String);
  // Not in the environment of the program, which may hold what perl itself goes by.
  return { argv: [perl, '-e', script, ...given, ...variables, ...argv], env: {} };
}

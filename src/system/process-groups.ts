/**
 * The programs that this process runs, as whole trees: each leads a session of its own, so that all that it starts can be found and
 * ended, by us, or by the next vbuild when this one was killed.
 * @see proc_pid_stat(5), credentials(7)
 */
import { readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeFolder, namesIn, readIfThere } from './files.ts';
import { kept, type Start } from './keeper.ts';
import { bootId } from './platform.ts';

/** A process for good: its number alone may be another's later. */
interface Identity {
  readonly pid: number;
  /** Clock ticks from the machine's start to this process's. */
  readonly startTicks: string;
}

interface ProcessFact extends Identity {
  readonly parent: number;
  readonly group: number;
  readonly session: number;
}

/** @param stat A line of `/proc/PID/stat`; the second field is a name in parentheses that may hold anything. */
function parseStat(stat: string): (ProcessFact & { readonly state: string }) | undefined {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state = '', parent, group, session] = fields;
  const startTicks = fields[19];
  if (startTicks === undefined) return undefined;
  const pid = Number.parseInt(stat, 10);
  return { pid, state, parent: Number(parent), group: Number(group), session: Number(session), startTicks };
}

/** Undefined when there is none, or only a dead one of which its parent has not yet taken note. */
function factOf(pid: number | string): ProcessFact | undefined {
  try {
    const fact = parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1'));
    return fact?.state === 'Z' || fact?.state === 'X' ? undefined : fact;
  } catch {
    return undefined;
  }
}

const living = (): ProcessFact[] =>
  readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? (factOf(name) ?? []) : []));

const isAlive = ({ pid, startTicks }: Identity): boolean => factOf(pid)?.startTicks === startTicks;

/** Everything in the leader's session or group, and all that descends from that, whatever session it made for itself. */
function treeOf({ pid: leader, startTicks }: Identity): ProcessFact[] {
  const all = living();
  const now = all.find(({ pid }) => pid === leader);
  // A number is given out again only when no session or group bears it any more.
  if (now !== undefined && now.startTicks !== startTicks) return [];
  const found = new Set(all.filter(({ session, group }) => session === leader || group === leader));
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    const parents = new Set([...found].map(({ pid }) => pid));
    for (const one of all) if (parents.has(one.parent)) found.add(one);
  }
  return [...found];
}

function send(signal: NodeJS.Signals, to: readonly Identity[]): void {
  for (const { pid } of to) {
    try {
      process.kill(pid, signal);
    } catch {
      // It ended by itself.
    }
  }
}

const running = new Map<number, Identity>();

/** Counts the leader of a session, just started, among what runs. */
export function noteStarted(pid: number): void {
  running.set(pid, { pid, startTicks: factOf(pid)?.startTicks ?? '' });
}

/** The leader has ended: forgets it and its record. */
export function noteEnded(pid: number): void {
  running.delete(pid);
  if (records !== undefined) rmSync(join(records, String(pid)), { force: true });
}

/** Ends all that runs at once, for when this process itself is about to end. */
export function killRunning(): void {
  for (const leader of running.values()) {
    send('SIGKILL', below(leader, treeOf(leader)));
    send('SIGKILL', treeOf(leader));
  }
}

/** Without the leader, which may be a keeper: while it lives, what loses its parents becomes its own. */
const below = <One extends Identity>({ pid: leader }: Identity, tree: readonly One[]): One[] =>
  tree.filter(({ pid }) => pid !== leader);

/** From the polite request to the end by force, in milliseconds: with what else an interrupt takes, it stays below two seconds. */
const graceMs = 1200;

/** Asks the whole tree of a leader that was noted as started to end, and ends by force what is left of it after a while. */
export async function endTree(pid: number): Promise<void> {
  const leader = running.get(pid);
  if (leader === undefined) return;
  const tree = treeOf(leader);
  send('SIGTERM', tree);
  for (const end = performance.now() + graceMs; tree.some(isAlive) && performance.now() < end; ) await sleep(20);
  await killTree(leader, tree);
}

/** @param known Found before, for what has lost its parents since. */
async function killTree(leader: Identity, known: readonly Identity[] = []): Promise<void> {
  // What was being ended may have started others meanwhile.
  for (let tries = 0; tries < 100; tries += 1) {
    const left = [...known.filter(isAlive), ...treeOf(leader)];
    if (left.length === 0) return;
    const others = below(leader, left);
    // One that is no keeper may go on to start more.
    send('SIGKILL', others.length > 0 && tries < 5 ? others : left);
    await sleep(10);
  }
}

/** Ends what a program left running that has itself ended. */
export async function endLeftovers(pid: number): Promise<void> {
  const leader = running.get(pid);
  if (leader !== undefined && groupLives(pid)) await killTree(leader);
}

function groupLives(pid: number): boolean {
  try {
    return process.kill(-pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

let records: string | undefined;

/** What a record must agree with before its number means anything here: this start of the machine, this view of its processes. */
const machine = (): string => `${bootId()} ${readlinkSync('/proc/self/ns/pid')}`;

/** This process for good, for those who find what it left: see `isRunning`. */
export const thisProcess = (): string => `${machine()} ${process.pid} ${factOf(process.pid)?.startTicks ?? ''}`;

/** Whether the process that called itself so runs; of one on another machine, or out of sight, it is taken that it does not. */
export function isRunning(called: string): boolean {
  const [, place, pid, startTicks] = /^(.*) (\d+) (\d*)$/.exec(called) ?? [];
  return place === machine() && isAlive({ pid: Number(pid), startTicks: startTicks ?? '' });
}

/**
 * From now on, until disposed, what `recorded` wraps leaves a record of itself in a folder while it runs.
 *
 * @param folder Absolute; this process must have a lock on it.
 */
export function recordGroups(folder: string): Disposable {
  makeFolder(folder);
  records = folder;
  return { [Symbol.dispose]: () => void (records = undefined) };
}

/** A program with a keeper that, where records are kept, notes itself before it starts the program: a killed parent could not. */
export const recorded = (start: Start): Start =>
  kept(
    start,
    records === undefined ? undefined : { folder: records, head: `${machine()}\n${start.env['HOME'] ?? ''}` },
  );

/**
 * Ends what an earlier process that recorded into the folder left running when it was killed. A number that now belongs to another
 * process is left alone: start time, start of the machine and process namespace must be those of the record, and where the leader is gone,
 * those of its session must still have its home folder.
 *
 * @returns The leaders of what was ended.
 */
export async function endOrphans(folder: string): Promise<readonly number[]> {
  const ended: number[] = [];
  for (const name of namesIn(folder)) {
    const leader = recordedLeader(name, readIfThere(join(folder, name)) ?? '');
    if (leader !== undefined) {
      await killTree(leader);
      ended.push(leader.pid);
    }
    rmSync(join(folder, name), { force: true });
  }
  return ended;
}

/** The leader of a record, if it or what it left behind still runs. */
function recordedLeader(name: string, record: string): Identity | undefined {
  const [place, home = '', stat = ''] = record.split('\n');
  const noted = parseStat(stat);
  if (noted === undefined || String(noted.pid) !== name || place !== machine()) return undefined;
  if (isAlive(noted)) return noted;
  return home !== '' && treeOf(noted).some(({ pid }) => homeOf(pid) === home) ? noted : undefined;
}

function homeOf(pid: number): string | undefined {
  try {
    const variables = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
    return variables.find((variable) => variable.startsWith('HOME='))?.slice('HOME='.length);
  } catch {
    return undefined;
  }
}

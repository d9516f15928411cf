/** What two builds of one tree differ in, file by file, each difference with its causes. */
import { join } from 'node:path';
import { readBytes, type TreeEntry, walk } from '../system/files.ts';
import { type Both, type BuiltUnder, type DifferenceKind, differenceKinds } from './causes.ts';
import { type Explained, explainBytes } from './explain-bytes.ts';
import { type Member, membersOf } from './members.ts';

export interface Difference {
  /** Relative to the prefix. */
  readonly path: string;
  /** In the order of `differenceKinds`; never empty. */
  readonly kinds: readonly DifferenceKind[];
  /** Of the first difference: the member of an archive that it is in, members of members joined by `!`. */
  readonly member?: string;
  /** The section of an ELF file that it is in. */
  readonly section?: string;
  /** Where it begins, in bytes, in the file or the member. */
  readonly offset?: number;
  /** What stands there, in the first tree and in the second one; unprintable bytes are escaped. */
  readonly first?: string;
  readonly second?: string;
}

/** @param tops Absolute paths of two packed trees. @returns In code-unit order of the paths; nothing when they are equal. */
export function treeDifferences(tops: Both<string>, built: Both<BuiltUnder>): Difference[] {
  const [first, second] = [entries(tops[0]), entries(tops[1])];
  const paths = [...new Set([...first.keys(), ...second.keys()])].sort((a, b) => (a < b ? -1 : 1));
  return paths.flatMap((path): Difference[] => {
    const [one, other] = [first.get(path), second.get(path)];
    if (one === undefined) return [{ path, kinds: ['extra'] }];
    if (other === undefined) return [{ path, kinds: ['missing'] }];
    if (one.type !== other.type) return [{ path, kinds: ['type'], first: one.type, second: other.type }];
    if (one.target !== other.target)
      return [{ path, kinds: ['target'], first: one.target ?? '', second: other.target ?? '' }];
    const content = one.type === 'file' ? contentDifference(path, tops, built) : undefined;
    const modes = (one.mode & 0o100) === (other.mode & 0o100) ? undefined : ([one.mode, other.mode] as const);
    if (content === undefined && modes === undefined) return [];
    const [mode, otherMode] = (modes ?? []).map((bits) => bits.toString(8));
    if (content === undefined) return [{ path, kinds: ['mode'], first: mode ?? '', second: otherMode ?? '' }];
    return [
      { path, ...content, kinds: inOrder([...content.kinds, ...(modes === undefined ? [] : ['mode' as const])]) },
    ];
  });
}

const entries = (top: string): Map<string, TreeEntry> =>
  new Map(walk(top).flatMap((entry) => (entry.type === 'directory' ? [] : [[entry.path, entry]])));

const inOrder = (kinds: readonly DifferenceKind[]): DifferenceKind[] =>
  differenceKinds.filter((kind) => kinds.includes(kind));

function contentDifference(
  path: string,
  tops: Both<string>,
  built: Both<BuiltUnder>,
): Omit<Difference, 'path'> | undefined {
  const [first, second] = [readBytes(join(tops[0], path)), readBytes(join(tops[1], path))];
  if (first.equals(second)) return undefined;
  const notes = explain(path, [first, second], built);
  const [told = notes[0]] = notes.filter(({ excerpts }) => excerpts !== undefined);
  return {
    kinds: inOrder(notes.flatMap(({ kinds }) => kinds)),
    ...(told?.member !== undefined && { member: told.member }),
    ...(told?.section !== undefined && { section: told.section }),
    ...(told?.offset !== undefined && { offset: told.offset }),
    ...(told?.excerpts !== undefined && { first: told.excerpts[0], second: told.excerpts[1] }),
  };
}

/** One thing that was found in a file or in a member of it. */
interface Note extends Partial<Explained> {
  readonly kinds: readonly DifferenceKind[];
  readonly member?: string;
}

/** How deep archives in archives are looked into. */
const deepest = 3;

function explain(path: string, bytes: Both<Buffer>, built: Both<BuiltUnder>, depth = 0): Note[] {
  const [first, second] = bytes.map((one) => (depth < deepest ? membersOf(path, one) : undefined));
  const notes = first === undefined || second === undefined ? [] : byMember([first, second], built, depth);
  return notes.length > 0 ? notes : [explainBytes(bytes, built)];
}

function byMember([first, second]: Both<readonly Member[]>, built: Both<BuiltUnder>, depth: number): Note[] {
  const notes: Note[] = [];
  const names = first.map(({ name }) => name);
  const others = second.map(({ name }) => name);
  const rest = [...second];
  for (const one of first) {
    const at = rest.findIndex(({ name }) => name === one.name);
    const [other] = at < 0 ? [] : rest.splice(at, 1);
    const within = (note: Note): Note => ({
      ...note,
      ...(one.name !== '' && { member: note.member === undefined ? one.name : `${one.name}!${note.member}` }),
    });
    if (other === undefined) notes.push(within({ kinds: ['missing'] }));
    else notes.push(...besides(one, other).map(within), ...inside(one, other, built, depth).map(within));
  }
  notes.push(...rest.map(({ name }): Note => ({ kinds: ['extra'], member: name })));
  const isMoved = rest.length === 0 && names.join('\0') !== others.join('\0');
  if (isMoved) notes.push({ kinds: ['order'], excerpts: [names.join(' '), others.join(' ')] });
  return notes;
}

/** What is noted beside the member. */
function besides(one: Member, other: Member): Note[] {
  const rows = [
    ['time', one.time, other.time],
    ['user', one.owner, other.owner],
    ['mode', one.mode, other.mode],
  ] as const;
  return rows.flatMap(([kind, x = '', y = '']) => (x === y ? [] : [{ kinds: [kind], excerpts: [x, y] }]));
}

const inside = (one: Member, other: Member, built: Both<BuiltUnder>, depth: number): Note[] =>
  one.bytes.equals(other.bytes) ? [] : explain(one.name, [one.bytes, other.bytes], built, depth + 1);

/** A graph of packages as a tree for people, and the words that its pictures share (pure; escaping included). */
import { type GraphPackage, needsOf, type PackageGraph } from '../model/graph.ts';
import { nameOf } from '../model/package-id.ts';
import { inputName } from './phrases.ts';
import { columns } from './table.ts';
import { list } from './words.ts';

/** Where a package stands in one or two words, to be read without any colour. */
export const standingWord = ({ standing, failedIn }: GraphPackage): string =>
  standing === 'failed' && failedIn !== undefined ? `failed in ${failedIn}` : standing;

/** Why it stands there; empty where there is nothing to add. */
export function standingNote({ standing, everReady, changed, follows }: GraphPackage): string {
  if (standing === 'fresh' || standing === 'unpinned') return '';
  if (!everReady) return standing === 'stale' ? 'never made ready here' : '';
  const own = changed.map(({ input, before, now }) => {
    const how = before === undefined ? 'is new' : now === undefined ? 'is gone' : 'changed';
    return `${inputName(input)} ${how}`;
  });
  const notes = [
    ...(own.length === 0 ? [] : [list(own, 2)]),
    ...(follows.length === 0 ? [] : [`follows ${list(follows.map(nameOf), 3)}`]),
  ];
  if (notes.length > 0) return notes.join('; ');
  return standing === 'stale' ? 'its artifact is gone' : '';
}

/** A tree from each root down to what needs nothing more; what was shown above is not unfolded again. */
export function graphText({ roots, packages }: PackageGraph): string {
  const byId = new Map(packages.map((one) => [one.package, one]));
  const unfolded = new Set<string>();
  const rows: string[][] = [];
  const visit = (id: string, lead: string, branch: string, forBuild: boolean): void => {
    const one = byId.get(id);
    if (one === undefined) throw new Error(`the graph lacks ${id}`);
    const children = needsOf(one);
    const isAbove = unfolded.has(id) && children.length > 0;
    unfolded.add(id);
    const notes = [standingNote(one), ...(forBuild ? ['only to build'] : []), ...(isAbove ? ['see above'] : [])];
    rows.push([lead + branch + id, standingWord(one), notes.filter((note) => note !== '').join(', ')]);
    if (isAbove) return;
    const below = branch === '' ? '' : `${lead}${branch === '└─ ' ? '   ' : '│  '}`;
    for (const [at, child] of children.entries())
      visit(child.to, below, at === children.length - 1 ? '└─ ' : '├─ ', child.forBuild);
  };
  for (const root of roots) visit(root, '', '', false);
  return columns(rows);
}

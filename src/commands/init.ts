/** `vbuild init`: a first Buildfile, with typings by which an editor checks it although no node_modules is there. */
import { dirname, join, relative } from 'node:path';
import { exists, readIfThere, writeAtomically } from '../system/files.ts';
import { writeOnce } from '../system/landing.ts';
import { ownTypings } from '../system/own-program.ts';

/** What became of one file. Files of the user's are never overwritten; the typings are ours and follow the tool. */
interface InitOutcome {
  /** Relative to the Buildfile's folder. */
  readonly file: string;
  /** `extended`: lines were added at the end. `current`: nothing was to be done. `kept`: there was one already, left as it was. */
  readonly outcome: 'written' | 'extended' | 'current' | 'kept';
  /** What the user may want to change in a file that was kept. */
  readonly hint?: string;
}

/** Where the typings lie, relative to the Buildfile's folder. */
const typingsPath = '.vbuild/typings/vbuild.d.ts';

/**
 * Writes what is missing of: the Buildfile, the typings, a `tsconfig.json` that points to them, and the lines of `.gitignore`
 * that keep vbuild's own folders out of version control. The folder is made if it is not there. To be run again after an
 * update of vbuild, or on a fresh clone: it brings the typings and touches nothing else.
 *
 * @param buildfilePath Absolute.
 */
export function init(buildfilePath: string): readonly InitOutcome[] {
  const folder = dirname(buildfilePath);
  const buildfile = relative(folder, buildfilePath);
  const once = (file: string, content: string): InitOutcome => ({
    file,
    outcome: !exists(join(folder, file)) && writeOnce(join(folder, file), content) ? 'written' : 'kept',
  });
  return [
    once(buildfile, firstBuildfile),
    follow(folder, typingsPath, ownTypings()),
    withHint(once('tsconfig.json', tsconfig(buildfile)), folder),
    extend(folder, '.gitignore', ignored),
  ];
}

const firstBuildfile = `import { autotools, debian, defineBuild, definePackage } from 'vbuild';

// One upstream package: where it comes from, what is changed in it, how it is compiled.
const lcms = definePackage('lcms2', {
  version: '2.14',
  source: debian('lcms2'), // or tarball('https://…/lcms2-2.14.tar.gz'), git('https://…', { rev: '2.14' }), directory('lcms2')
  // patches: 'patches/lcms2', // a folder of patches, applied in order
  // deps: [zlib], // packages that it links with: values, so that your editor finds a misspelt one
  recipe: autotools({ configure: ['--without-jpeg', '--without-tiff'] }), // or cmake(), meson(), make(), python(), steps([…])
});

// \`vbuild\` builds these and installs them into vendor/; \`vbuild show lcms2\` prints what it would run.
export default defineBuild({ packages: [lcms] });
`;

/** Nothing here is read when a Buildfile is run: it is for editors and \`tsc\` alone. */
const tsconfig = (buildfile: string): string => `{
  // For editors and tsc; vbuild itself does not read it.
  "compilerOptions": {
    "target": "esnext",
    "module": "preserve",
    "moduleDetection": "force",
    "types": [],
    "noEmit": true,
    "strict": true,
    "noUnusedLocals": true,
    "erasableSyntaxOnly": true,
    "verbatimModuleSyntax": true,
    "allowImportingTsExtensions": true,
    "paths": { "vbuild": ["./${typingsPath}"] }
  },
  "files": [${JSON.stringify(buildfile)}]
}
`;

const ignored = ['/.vbuild/', '/vendor', '/.*.generations/'];

function withHint(outcome: InitOutcome, folder: string): InitOutcome {
  const known = outcome.outcome === 'written' || readIfThere(join(folder, outcome.file))?.includes(typingsPath);
  return known
    ? outcome
    : { ...outcome, hint: `add "paths": { "vbuild": ["./${typingsPath}"] } to its compilerOptions` };
}

/** Brings a file of ours up to date. */
function follow(folder: string, file: string, content: string): InitOutcome {
  if (readIfThere(join(folder, file)) === content) return { file, outcome: 'current' };
  writeAtomically(join(folder, file), content);
  return { file, outcome: 'written' };
}

/** Adds lines that are missing at the end of a file of the user's. */
function extend(folder: string, file: string, lines: readonly string[]): InitOutcome {
  const before = readIfThere(join(folder, file));
  const there = (before ?? '').split(/\r?\n/);
  const missing = lines.filter((line) => !there.includes(line));
  if (missing.length === 0) return { file, outcome: 'current' };
  const start = before === undefined || before === '' || before.endsWith('\n') ? (before ?? '') : `${before}\n`;
  writeAtomically(join(folder, file), `${start}${missing.join('\n')}\n`);
  return { file, outcome: before === undefined ? 'written' : 'extended' };
}

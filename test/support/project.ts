/** A small project of C packages that builds in seconds: leaf ← branch ← app, app made with gen at hand, and lone on its own. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type EventsOf, eventsOf } from './events.ts';
import { type Tree, removeTree, tempDir, type WithCleanUp, writeTree } from './temp.ts';
import { upstreamTarball } from './upstream.ts';
import { type RunOptions, runProgram, runVbuild, type Workspace } from './vbuild.ts';

/** Every package, each after what it needs. */
export const packages = ['leaf@1.0', 'branch@2.0', 'gen@0.1', 'app@1.0', 'lone@1.0'] as const;

/** What `bin/app` prints with everything as it is here: ten times leaf's value, which a patch raises from 1 to 2. */
export const appSays = 'branch 20 generated\n';

export interface Project extends Workspace {
  /** Runs vbuild with `--json` in the project. */
  readonly build: (args?: readonly string[], options?: Partial<RunOptions>) => Promise<EventsOf>;
  /** Replaces the one place of a file that reads `from`. */
  edit(file: string, from: string, to: string): void;
  /** Runs a program of a prefix without vbuild, nothing of it on any search path, and gives its output. @param prefix `vendor` when not given. */
  output(program: string, prefix?: string): Promise<string>;
  /** By package name: content key and digest of the tree, as noted when the current generation of a prefix was installed. */
  installed(prefix?: string): Installed;
}

export type Installed = Readonly<
  Record<string, { readonly version: string; readonly key: string; readonly tree: string }>
>;

/** The stages that building these packages from nothing takes, sorted. */
export const allStages = (...ids: readonly string[]): string[] =>
  ids.flatMap((id) => ['compile', 'fetch', 'pack', 'patch'].map((stage) => `${id} ${stage}`)).sort();

/** Every stage of a package from one on, as `allStages` gives them. */
export const stagesFrom = (first: 'patch' | 'compile' | 'pack', ...ids: readonly string[]): string[] => {
  const order = ['fetch', 'patch', 'compile', 'pack'];
  return allStages(...ids).filter((stage) => order.indexOf(stage.split(' ')[1] ?? '') >= order.indexOf(first));
};

/** A folder with the project in it and a home of its own, both gone when the test ends. @param at The folder's name. */
export function project(t: WithCleanUp, changes: Tree = {}, at = 'site'): Project {
  const top = tempDir(t, 'project');
  return writeProject(join(top, at), join(top, 'home'), changes);
}

/** Writes the project into a folder; both paths are absolute. */
export function writeProject(path: string, home: string, changes: Tree = {}): Project {
  mkdirSync(path, { recursive: true });
  for (const [name, tree] of Object.entries(upstream)) upstreamTarball(join(path, 'upstream'), tree, `${name}.tar.gz`);
  for (const name of Object.keys(upstream)) removeTree(join(path, 'upstream', `${name}.tar.gz.tree`));
  writeTree(path, { 'Buildfile.ts': buildfile, ...patches, ...changes });
  return projectAt(path, home);
}

/** The project that lies in a folder; both paths are absolute. */
export function projectAt(path: string, home: string): Project {
  const run: Workspace['run'] = (args, options = {}) => runVbuild(args, { cwd: path, home, ...options });
  const read = (file: string): string => readFileSync(join(path, file), 'utf8');
  const write = (tree: Tree): void => writeTree(path, tree);
  const vendor = join(path, 'vendor');
  return {
    path,
    home,
    write,
    read,
    run,
    build: async (args = [], options = {}) => eventsOf(await run([...args, '--json'], options)),
    edit(file, from, to) {
      const parts = read(file).split(from);
      assert.equal(parts.length, 2, `${file} says ${JSON.stringify(from)} ${parts.length - 1} times`);
      write({ [file]: parts.join(to) });
    },
    async output(program, prefix = vendor) {
      const { exitStatus, stdout, stderr } = await runProgram([join(prefix, program)], { cwd: '/', home });
      assert.equal(exitStatus, 0, stderr);
      return stdout;
    },
    installed(prefix = vendor) {
      const number = basename(readlinkSync(prefix));
      const record = join(dirname(prefix), `.${basename(prefix)}.generations`, `${number}.json`);
      return (JSON.parse(readFileSync(record, 'utf8')) as { packages: Installed }).packages;
    },
  };
}

/** What vbuild makes beside a Buildfile, its lock file aside. */
const made = ['.vbuild', 'vendor', '.vendor.generations'];

/** Everything that version control would hold of a project, and its lock file, in another folder. @param home Another HOME, or the same. */
export function cloneOf(site: Project, path: string, home = site.home): Project {
  mkdirSync(path, { recursive: true });
  for (const name of readdirSync(site.path))
    if (!made.includes(name)) cpSync(join(site.path, name), join(path, name), { recursive: true });
  return projectAt(path, home);
}

/** Takes away what vbuild made in a project, its lock file aside. */
export function forget({ path }: Project): void {
  for (const name of made) rmSync(join(path, name), { recursive: true, force: true });
}

/** A makefile for one shared library. */
const libraryMakefile = (name: string, libraries = ''): string => `PREFIX = /usr/local
lib${name}.so: ${name}.c
	$(CC) $(CPPFLAGS) $(CFLAGS) -fPIC -shared -Wl,-soname,$@ -o $@ ${name}.c $(LDFLAGS) ${libraries}
install: lib${name}.so
	mkdir -p $(DESTDIR)$(PREFIX)/lib/pkgconfig $(DESTDIR)$(PREFIX)/include
	cp lib${name}.so $(DESTDIR)$(PREFIX)/lib
	cp ${name}.h $(DESTDIR)$(PREFIX)/include
	printf 'prefix=%s\\nName: ${name}\\nDescription: ${name}\\nVersion: 1\\nLibs: -L$$\{prefix}/lib -l${name}\\n' \\
	  "$(PREFIX)" >$(DESTDIR)$(PREFIX)/lib/pkgconfig/${name}.pc
`;

/** A makefile that installs one program, made by \`build\`. */
const programMakefile = (name: string, build: string): string => `PREFIX = /usr/local
${build}
install: ${name}
	mkdir -p $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/${name}
	cp ${name} $(DESTDIR)$(PREFIX)/bin
	printf '%s\\n' "$(PREFIX)" >$(DESTDIR)$(PREFIX)/share/${name}/prefix
`;

const leafSource = '#include "leaf.h"\nint leaf_value(void) { return 1; }\n';

const upstream: Readonly<Record<string, Tree>> = {
  'leaf-1.0': {
    Makefile: libraryMakefile('leaf'),
    'leaf.h': 'int leaf_value(void);\n',
    'leaf.c': leafSource,
    // Never compiled; a patch lands here or there, as its strip says.
    'old/leaf.c': leafSource,
  },
  'branch-2.0': {
    Makefile: libraryMakefile('branch', '-lleaf'),
    'branch.h': 'int branch_value(void);\n',
    'branch.c': '#include "branch.h"\n#include <leaf.h>\nint branch_value(void) { return 10 * leaf_value(); }\n',
  },
  'gen-0.1': {
    Makefile: programMakefile('gen', 'gen: gen.sh\n\tcp gen.sh gen'),
    'gen.sh': { text: '#!/bin/sh\necho \'#define STAMP "generated"\'\n', mode: 0o755 },
  },
  'app-1.0': {
    Makefile: programMakefile(
      'app',
      'app: app.c\n\tgen >gen.h\n\t$(CC) $(CPPFLAGS) $(CFLAGS) -o $@ app.c $(LDFLAGS) -lbranch',
    ),
    'app.c': `#include <stdio.h>
#include <branch.h>
#include "gen.h"
int main(void) { printf("branch %d %s\\n", branch_value(), STAMP); return 0; }
`,
  },
  'lone-1.0': {
    Makefile: programMakefile('lone', 'lone: lone.c\n\t$(CC) $(CFLAGS) -o $@ lone.c'),
    'lone.c': '#include <stdio.h>\nint main(void) { puts("alone"); return 0; }\n',
  },
};

/** A patch of leaf, whose value it raises. @param path Below `a/` and `b/`. */
export const leafPatch = (now: number, before = 1, path = 'leaf.c'): string => `--- a/${path}
+++ b/${path}
@@ -1,2 +1,2 @@
 #include "leaf.h"
-int leaf_value(void) { return ${before}; }
+int leaf_value(void) { return ${now}; }
`;

const patches: Tree = { 'patches/leaf/series': 'value.patch\n', 'patches/leaf/value.patch': leafPatch(2) };

const buildfile = `import { defineBuild, definePackage, make, place, tarball } from 'vbuild';

const options = { variables: { PREFIX: place.prefix } };
const leaf = definePackage('leaf', {
  version: '1.0',
  source: tarball('upstream/leaf-1.0.tar.gz'),
  patches: 'patches/leaf',
  recipe: make(options),
});
const branch = definePackage('branch', {
  version: '2.0',
  source: tarball('upstream/branch-2.0.tar.gz'),
  deps: [leaf],
  recipe: make(options),
});
const gen = definePackage('gen', {
  version: '0.1',
  source: tarball('upstream/gen-0.1.tar.gz'),
  recipe: make(options),
});
const app = definePackage('app', {
  version: '1.0',
  source: tarball('upstream/app-1.0.tar.gz'),
  deps: [branch],
  buildDeps: [gen],
  recipe: make(options),
});
const lone = definePackage('lone', {
  version: '1.0',
  source: tarball('upstream/lone-1.0.tar.gz'),
  recipe: make(options),
});

export default defineBuild({ packages: [leaf, branch, gen, app, lone], defaults: [app, lone] });
`;

/**
 * Gives a project a folder as its cache, in its home, empty.
 *
 * @param defaults What the Buildfile builds without a target, as it names that.
 * @returns The absolute path of the folder.
 */
export function withFolderCache(site: Project, defaults: string): string {
  const bucket = join(site.home, 'bucket');
  mkdirSync(bucket, { recursive: true });
  site.edit('Buildfile.ts', 'make, place, tarball', 'directoryCache, make, place, tarball');
  site.edit(
    'Buildfile.ts',
    'defaults: [app, lone]',
    `defaults: [${defaults}], cache: [directoryCache(${JSON.stringify(bucket)})]`,
  );
  return bucket;
}

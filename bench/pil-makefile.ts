/** The Makefile with stamp files that builds the same as the example: the same archives, patches, steps and environment, one prefix, a tarball of each package. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nameOf } from '../src/model/package-id.ts';

/** What `vbuild show --json` prints of a package, as far as it takes part. */
export interface Shown {
  readonly package: string;
  readonly pin: { readonly pin: { readonly files: readonly { readonly digest: string; readonly name: string }[] } };
  readonly patches: readonly { readonly name: string; readonly strip: number }[];
  readonly deps: readonly string[];
  readonly tools: Readonly<Record<string, string>>;
  readonly steps: readonly { readonly run: string | readonly string[]; readonly in?: string }[];
  readonly environment: Readonly<Record<string, string>>;
}

export interface Places {
  /** Absolute; the Makefile and all that it makes lie in it. */
  readonly top: string;
  /** Absolute; the archives lie in it by digest. */
  readonly blobs: string;
  /** Absolute; the names of our patches are relative to it. */
  readonly project: string;
}

const stages = ['fetch', 'patch', 'compile', 'pack', 'install'] as const;
type Stage = (typeof stages)[number];

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

export function writeMakefile(packages: readonly Shown[], places: Places): void {
  for (const folder of ['scripts', 'stamps', 'packed']) mkdirSync(join(places.top, folder), { recursive: true });
  const rules = packages.flatMap((one) => {
    const name = nameOf(one.package);
    const lines = linesOf(one, places);
    for (const stage of stages) {
      const script = ['set -eu', `root=${quoted(join(places.top, 'work', name))}`, ...lines[stage], ''].join('\n');
      writeFileSync(join(places.top, 'scripts', `${name}.${stage}`), script);
    }
    const inputs: Readonly<Record<Stage, readonly string[]>> = {
      fetch: [],
      patch: [stampOf(name, 'fetch'), ...one.patches.map((patch) => join(places.project, patch.name))],
      compile: [stampOf(name, 'patch'), ...one.deps.map((dep) => stampOf(nameOf(dep), 'install'))],
      pack: [stampOf(name, 'compile')],
      install: [stampOf(name, 'pack')],
    };
    return stages.map(
      (stage) =>
        `${stampOf(name, stage)}: ${inputs[stage].join(' ')}\n\t+@sh scripts/${name}.${stage} >$@.log 2>&1 && touch $@\n`,
    );
  });
  writeFileSync(join(places.top, 'Makefile'), `all: ${stampOf('pil', 'install')}\n.PHONY: all\n${rules.join('')}`);
}

const stampOf = (name: string, stage: Stage): string => `stamps/${name}.${stage}`;

function linesOf(one: Shown, { top, blobs, project }: Places): Readonly<Record<Stage, readonly string[]>> {
  const name = nameOf(one.package);
  const [root, prefix, tarball] = [
    join(top, 'work', name),
    join(top, 'prefix'),
    join(top, 'packed', `${name}.tar.zst`),
  ];
  const [tree, stage] = [join(root, 'tree'), join(root, 'stage')];
  const symbols: Readonly<Record<string, string>> = {
    '@prefix@': prefix,
    '@stage@': stage,
    '@tree@': tree,
    '@root@': root,
    '@jobs@': '2',
    '@python@': `python${one.tools['python3']?.split(' ')[1] ?? '3'}`,
  };
  const said = (text: string): string => text.replaceAll(/@[a-z]+@/g, (symbol) => symbols[symbol] ?? symbol);
  const variables = Object.entries(one.environment).map(([variable, text]) => quoted(`${variable}=${said(text)}`));
  const step = ({ run, in: folder = '.' }: Shown['steps'][number]): string => {
    const argv = typeof run === 'string' ? ['bash', '-eu', '-o', 'pipefail', '-c', run] : run;
    const words = argv.map((word) => quoted(said(word))).join(' ');
    const at = quoted(join(tree, said(folder)));
    return `mkdir -p ${at}; cd ${at}; env -i PATH=/usr/local/bin:/usr/bin:/bin MAKEFLAGS="\${MAKEFLAGS-}" ${variables.join(' ')} ${words}`;
  };
  return {
    fetch: [
      'rm -rf "$root" && mkdir -p "$root/pristine"',
      ...one.pin.pin.files.map(({ digest, name: file }) => {
        const component = /\.orig-([^.]+)\.tar/.exec(file)?.[1] ?? (file.includes('.debian.tar') ? 'debian' : '.');
        const into = `"$root/pristine/${component}"`;
        return `mkdir -p ${into}; tar -xf ${quoted(join(blobs, 'sha256', digest.slice(0, 2), digest))} --strip-components=1 -C ${into}`;
      }),
    ],
    patch: [
      'rm -rf "$root/patched" && cp -a "$root/pristine" "$root/patched" && cd "$root/patched"',
      `series() { sed -e 's/[[:space:]]*#.*//' -e '/^$/d' debian/patches/series | awk '{ print $1 }'; }`,
      'if [ -f debian/patches/series ]; then for one in $(series); do patch -sfN -p1 -i "debian/patches/$one"; done; fi',
      ...one.patches.map((patch) => `patch -sfN -p${patch.strip} -i ${quoted(join(project, patch.name))}`),
    ],
    compile: [
      'rm -rf "$root/tree" "$root/stage" && cp -a "$root/patched" "$root/tree" && mkdir -p "$root/home" "$root/tmp"',
      ...one.steps.map(step),
    ],
    pack: [
      `cd ${quoted(join(stage, prefix))}`,
      // What strip does not know, it leaves.
      'find . -type f | while read -r one; do strip --strip-unneeded "$one" 2>/dev/null || :; done',
      `tar --sort=name --mtime=@0 --owner=0 --group=0 -I 'zstd -3' -cf ${quoted(tarball)} .`,
    ],
    install: [`mkdir -p ${quoted(prefix)} && tar -I zstd -xf ${quoted(tarball)} -C ${quoted(prefix)}`],
  };
}

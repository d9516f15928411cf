/** The lines of a POSIX shell that bring a pinned source into `$tree` (pure). */
import { VbuildError } from '../model/error.ts';
import { quoted } from '../model/quoted.ts';
import type { DebianSpec } from '../sources/debian.ts';
import { roleOf } from '../sources/debian-files.ts';
import type { DirectorySpec } from '../sources/directory.ts';
import type { GitSpec } from '../sources/git.ts';
import type { PinnedFile } from '../sources/source.ts';
import type { TarballSpec } from '../sources/tarball.ts';
import { isPath } from '../sources/version-control.ts';
import type { PackageFacts } from './facts.ts';

/** @throws {VbuildError} `usage` for a kind of source that no plain program brings. */
export function sourceLines({ package: { source }, source: { pin }, id }: PackageFacts): readonly string[] {
  switch (source.kind) {
    case 'debian':
      return debianLines(source, pin.files ?? []);
    case 'tarball':
      return tarballLines(source, pin.files ?? []);
    case 'git':
      return gitLines(source, pin.commit ?? '');
    case 'directory':
      return directoryLines(source);
    default:
      throw new VbuildError('usage', `Sources of the kind ${source.kind} cannot be ejected`, {
        where: { package: id },
        facts: { expected: 'debian(), tarball(), git() or directory()' },
        mend: 'name packages that rest on none of it',
      });
  }
}

const fetched = ({ name, digest }: PinnedFile, places: readonly string[]): string =>
  ['fetch', name, digest, ...places].map(quoted).join(' ');

/** Where Debian's mirrors keep the files of a source package, its security updates too. */
function debianLines({ name, patches }: DebianSpec, files: readonly PinnedFile[]): readonly string[] {
  const folder = `${name.slice(0, /^lib./.test(name) ? 4 : 1)}/${name}`;
  return files.flatMap((file) => {
    const role = roleOf(file.name);
    const path = `"$sources"/${quoted(file.name)}`;
    const get = `fetch_debian ${[file.name, file.digest, folder].map(quoted).join(' ')}`;
    if (role === undefined) return [];
    if (role.type === 'archive')
      return [get, `unpack ${path} ${role.component === undefined ? '"$tree"' : `"$tree"/${quoted(role.component)}`}`];
    if (!patches) return [];
    return role.type === 'packaging'
      ? [get, `unpack ${path} "$root/packaging" 0`, 'apply_series "$root/packaging/debian/patches"']
      : [get, `gzip -dc ${path} | patch_tree 1`];
  });
}

function tarballLines(spec: TarballSpec, files: readonly PinnedFile[]): readonly string[] {
  const archives = [{ ...spec, into: undefined }, ...(spec.also ?? [])];
  return archives.flatMap(({ from, strip, subdir, into }, at) => {
    const file = files[at];
    if (file === undefined) return [];
    const path = `"$sources"/${quoted(file.name)}`;
    const to = into === undefined ? '"$tree"' : `"$tree"/${quoted(into)}`;
    const whole = subdir === undefined ? to : `"$root/archive-${at}"`;
    return [
      fetched(file, from),
      `unpack ${path} ${whole}${strip === undefined ? '' : ` ${strip}`}`,
      ...(subdir === undefined ? [] : [`mkdir -p ${to}`, `cp -R ${whole}/${quoted(subdir)}/. ${to}`]),
    ];
  });
}

function gitLines({ url, subdir, submodules, lfs }: GitSpec, commit: string): readonly string[] {
  const repository = '"$root/repository"';
  const place = isPath(url) && !url.startsWith('/') ? `"$project"/${quoted(url)}` : quoted(url);
  return [
    `git init -q ${repository}`,
    `git -C ${repository} fetch -q --depth 1 ${place} ${commit} || git -C ${repository} fetch -q ${place} '+refs/*:refs/*'`,
    `git -C ${repository} -c core.autocrlf=false checkout -q --detach ${commit}`,
    ...(submodules === true ? [`git -C ${repository} submodule -q update --init --recursive`] : []),
    ...(lfs === true ? [`git -C ${repository} lfs pull`] : []),
    `rm -rf ${repository}/.git`,
    `cp -R ${repository}${subdir === undefined ? '' : `/${quoted(subdir)}`}/. "$tree"`,
  ];
}

function directoryLines({ path }: DirectorySpec): readonly string[] {
  const folder = path.startsWith('/') ? quoted(path) : `"$project"/${quoted(path)}`;
  return [
    `cp -R ${folder}/. "$tree"`,
    'find "$tree" -depth \\( -name .git -o -name .hg -o -name .svn -o -name .vbuild \\) -exec rm -rf {} \\;',
  ];
}

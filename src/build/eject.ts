/**
 * A build as one POSIX shell program that needs no vbuild: what runs is what the recipes say, in the environment that they get. All
 * packages go into one prefix, each after what it needs; there is no cache, no isolation and nothing to move to another prefix later.
 */
import { basename } from 'node:path';
import { standardEnvironment, standardVariables } from '../compile/environment.ts';
import { quoted } from '../model/quoted.ts';
import type { Step } from '../compile/recipe.ts';
import { argvOf } from '../model/argv.ts';
import { sharing } from '../compile/sharing.ts';
import { shellWord } from '../compile/shell-words.ts';
import { type ToolName, toolNamed } from '../compile/tools.ts';
import { systemPath } from '../system/user-environment.ts';
import { sourceLines } from './eject-source.ts';
import type { PackageFacts } from './facts.ts';

interface EjectRequest {
  /** In the order in which they are built. */
  readonly packages: readonly PackageFacts[];
  /** Names of those that were asked for. */
  readonly targets: readonly string[];
  /** Name of the Buildfile. */
  readonly buildfile: string;
  /** Gives the path of a patch relative to the Buildfile's folder. */
  readonly patchPath: (path: string) => string;
}

/** @throws {VbuildError} `usage`, see `sourceLines` */
export function ejected({ packages, targets, buildfile, patchPath }: EjectRequest): string {
  const bodies = packages.map((facts) => packageText(facts, patchPath));
  const body = bodies.join('\n');
  return `${head(packages, targets, buildfile, body.includes('$python'))}\n${body}\necho "ready in $prefix: ${packages.map(({ id }) => id).join(', ')}"\n`;
}

function head(
  packages: readonly PackageFacts[],
  targets: readonly string[],
  buildfile: string,
  withPython: boolean,
): string {
  const tools = new Map(packages.flatMap((facts) => Object.entries(facts.tools)));
  const programs = [...new Set([...tools.keys()].flatMap((tool) => toolNamed(tool as ToolName).packages))].sort();
  return `#!/bin/sh
# Builds ${targets.join(', ')} from upstream source, without vbuild: fetch, verify, patch, compile, install.
# Made by vbuild eject from ${basename(buildfile)}; keep it beside that file, where the patches are.
#
# usage: sh THIS [PREFIX]      installs into PREFIX (default: vendor in the current folder), which must not be moved later
#   WORK=DIR      trees and logs (default: work.PREFIX)      SOURCES=DIR   archives, fetched where they are not there yet
#   JOBS=N        jobs of one make (default: processors)     PROJECT=DIR   the folder of ${basename(buildfile)} and its patches
#
# Tools, with the versions that it was pinned for: ${[...tools].map(([tool, version]) => `${tool} ${version}`).join(', ')}
# On Debian: apt-get install --no-install-recommends ca-certificates curl patch ${programs.join(' ')}
#
# What stands in single quotes is for the programs that steps start.
# shellcheck disable=SC2016
set -eu
umask 022

prefix=\${1:-vendor}
case $prefix in /*) ;; *) prefix=$PWD/$prefix ;; esac
# Its name must not begin with that of the prefix: compilers are told what to put in place of either.
prefix=\${prefix%/}
work=\${WORK:-\${prefix%/*}/work.\${prefix##*/}}
case $work in /*) ;; *) work=$PWD/$work ;; esac
sources=\${SOURCES:-$work/sources}
project=\${PROJECT:-$(cd "$(dirname "$0")" && pwd)}
jobs=\${JOBS:-$(nproc)}
${withPython ? `python=$(python3 -c 'import sys; print("python%d.%d" % sys.version_info[:2])')\n` : ''}mkdir -p "$prefix" "$sources"

fail() {
  echo "error: $*" >&2
  exit 1
}

# fetch FILE SHA256 PLACE…: puts an archive into $sources, unless it is there, and verifies it.
fetch() {
  file=$sources/$1 digest=$2
  shift 2
  for from in "$@"; do
    [ ! -e "$file" ] || break
    case $from in
      *://*) if curl -fsSL --retry 3 -o "$file.part" "$from"; then mv "$file.part" "$file"; fi ;;
      /*) cp "$from" "$file" ;;
      *) cp "$project/$from" "$file" ;;
    esac
  done
  [ -e "$file" ] || fail "$file could not be fetched"
  echo "$digest  $file" | sha256sum -c --quiet - || fail "$file is not the pinned archive"
}

# fetch_debian FILE SHA256 FOLDER: the same from the repositories that apt knows here, and then from Debian's own.
fetch_debian() {
  name=$1 sha256=$2 folder=$3
  set --
  for repository in $(apt-get indextargets --format '$(REPO_URI)' 2>/dev/null | sort -u) https://deb.debian.org/debian/ https://deb.debian.org/debian-security/; do
    set -- "$@" "\${repository}pool/main/$folder/$name" "\${repository}pool/updates/main/$folder/$name"
  done
  fetch "$name" "$sha256" "$@"
}

# unpack ARCHIVE FOLDER [STRIP]: without STRIP, a single top folder is left out.
unpack() {
  rm -rf "$work/unpacked" "$2"
  mkdir -p "$work/unpacked" "$(dirname "$2")"
  case $1 in
    *.zip) unzip -q "$1" -d "$work/unpacked" ;;
    *) tar --no-same-owner -xf "$1" -C "$work/unpacked" ;;
  esac
  from=$work/unpacked levels=\${3:-1}
  while [ "$levels" -gt 0 ]; do
    [ "$(find "$from" -mindepth 1 -maxdepth 1 | wc -l)" -eq 1 ] || break
    from=$(find "$from" -mindepth 1 -maxdepth 1 -type d)
    levels=$((levels - 1))
  done
  mv "\${from:?}" "$2"
}

# patch_tree STRIP <PATCH: applies it to the tree, to the letter.
patch_tree() {
  patch -d "$tree" -p"$1" -F0 -N -t -s --no-backup-if-mismatch || fail "a patch does not apply to $tree"
}

# apply_series FOLDER: what its series file names, in order.
apply_series() {
  for list in "$1/debian.series" "$1/series"; do
    [ -f "$list" ] || continue
    sed 's/[[:space:]]*#.*//; /^[[:space:]]*$/d; s/[[:space:]].*//' "$list" >"$root/series"
    while read -r name; do
      patch_tree 1 <"$1/$name"
    done <"$root/series"
    return
  done
}

# apply FILE SHA256 STRIP: a patch of the project.
apply() {
  echo "$2  $project/$1" | sha256sum -c --quiet - || fail "$project/$1 is not the patch that this was made for"
  patch_tree "$3" <"$project/$1"
}

# begin NAME: an empty tree.
begin() {
  echo "== $1"
  root=$work/$1 tree=$work/$1/tree stage=$work/$1/stage
  rm -rf "$root"
  mkdir -p "$tree" "$stage" "$root/home" "$root/tmp"
}

# settle: one time for all files, so that no rule of a makefile takes one for older than another by chance.
settle() {
  find "$tree" ! -type l -exec touch -d ${quoted(`@${standardVariables.SOURCE_DATE_EPOCH}`)} {} +
}

# step FOLDER [NAME=VALUE…] COMMAND…: runs a command in a folder of the tree, with this environment and nothing else.
step() {
  (
    mkdir -p "$tree/$1"
    cd "$tree/$1"
    shift
    exec env -i PATH="$prefix/bin:${systemPath}" \\
${Object.entries(standardVariables)
  .map(([name, text]) => `      ${name}=${shellWord(text)}`)
  .join(' \\\n')} \\
      "$@"
  ) >>"$root/log" 2>&1 </dev/null || {
    tail -n 20 "$root/log" >&2
    fail "a step failed, see $root/log"
  }
}

# strip_staged: takes out what programs and libraries need only to be debugged.
strip_staged() {
  find "$stage$prefix" -type f \\( -name '*.so*' -o -path '*/bin/*' \\) -exec strip --strip-unneeded {} + 2>/dev/null || :
}

# finish: from the stage into the prefix, without what is of no use there.
finish() {
  find "$stage$prefix" -name '*.la' -exec rm -f {} +
  cp -R "$stage$prefix/." "$prefix/"
}
`;
}

function packageText(facts: PackageFacts, patchPath: EjectRequest['patchPath']): string {
  const { package: one, series, patches } = facts;
  const ours = series.map(({ path, strip }, at) => {
    const digest = patches[at]?.input.value ?? '';
    return `apply ${[patchPath(path), digest, String(strip)].map(quoted).join(' ')}`;
  });
  const lines = [
    `begin ${quoted(one.name)}`,
    ...sourceLines(facts),
    ...ours,
    'settle',
    ...one.recipe.steps.flatMap((step) => stepLines(step, facts)),
    ...(one.remove ?? []).map((glob) => removal(glob)),
    ...(one.strip === false ? [] : ['strip_staged']),
    'finish',
  ];
  return `# --- ${facts.id}\n${lines.join('\n')}\n`;
}

/** A long program stands before the step that runs it, as it is. */
function stepLines(step: Step, { package: { recipe }, tools }: PackageFacts): readonly string[] {
  const environment = standardEnvironment(recipe);
  const way = sharing(step, { environment, tools, named: false });
  const own = Object.entries(recipe.env).map(([name, text]) => `${name}=${shellWord(text)}`);
  const jobs = way.by === 'nothing' ? [] : ['MAKEFLAGS="-j$jobs"'];
  const programs: string[] = [];
  const words = argvOf(step.run).map((word) => {
    if (!word.includes('\n') || shellWord(word) !== quoted(word)) return shellWord(word);
    programs.push(`program=$(cat <<'END_OF_PROGRAM'\n${word.replace(/\n+$/, '')}\nEND_OF_PROGRAM\n)`);
    return '"$program"';
  });
  return [...programs, `step ${[quoted(step.in ?? '.'), ...own, ...jobs, ...words].join(' ')}`];
}

/** What a glob of `remove` names; \`**\` stands for any folders. */
function removal(glob: string): string {
  const pattern = glob.replaceAll('**/', '').replaceAll('**', '*');
  return `find "$stage$prefix" -path "$stage$prefix/"${quoted(glob.includes('**/') ? `*${pattern}` : pattern)} -prune -exec rm -rf {} +`;
}

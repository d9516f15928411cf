/** Real source packages with their real patches, from the repositories that this machine's apt is set up for; and GNU patch as a judge. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { VbuildError } from '../../src/model/error.ts';
import { applySeries } from '../../src/patches/apply-series.ts';
import type { SeriesPatch } from '../../src/patches/patch-spec.ts';
import { readSeriesFolder } from '../../src/patches/series.ts';
import { neededFiles, unpackDebianFile } from '../../src/sources/debian-files.ts';
import { compareDebianVersions } from '../../src/sources/debian-version.ts';
import { openApt } from '../../src/system/apt.ts';
import type { OfferedFile } from '../../src/system/apt-output.ts';
import { digestOf } from '../../src/model/digest.ts';
import { walk } from '../../src/system/files.ts';

export interface CorpusPackage {
  readonly name: string;
  readonly version: string;
  /** Absolute path of the pristine tree. */
  readonly tree: string;
  /** Debian's series. */
  readonly patches: readonly SeriesPatch[];
}

/** A mirror may lack files that its index lists; packages are then passed over. */
export interface Corpus {
  readonly packages: readonly CorpusPackage[];
  readonly passedOver: readonly string[];
}

/**
 * Downloads the newest version on offer of packages, and unpacks those that are there in full.
 *
 * @param names  In the order in which they are tried.
 * @param folder Absolute; everything lies in it.
 * @param most   How many are enough.
 */
export async function fetchCorpus(names: readonly string[], folder: string, most = names.length): Promise<Corpus> {
  const apt = await openApt({
    folder: join(folder, 'apt'),
    environment: process.env,
    signal: new AbortController().signal,
  });
  const { trouble } = await apt.refresh(0);
  if (trouble !== undefined) throw new Error(`the indexes cannot be read: ${trouble}`);
  mkdirSync(join(folder, 'files'), { recursive: true });
  const place = (file: string): string => join(folder, 'files', file);
  const packages: CorpusPackage[] = [];
  const passedOver: string[] = [];
  const left = [...names];
  while (packages.length < most && left.length > 0) {
    const chosen: { name: string; version: string; files: OfferedFile[] }[] = [];
    const asked = left.splice(0, most - packages.length);
    // Each question makes apt read its indexes anew.
    const workers = [0, 1, 2].map(async () => {
      for (let name = asked.shift(); name !== undefined; name = asked.shift()) {
        const [newest] = (await apt.offers(name)).sort((a, b) => compareDebianVersions(b.version, a.version));
        if (newest === undefined) passedOver.push(name);
        else {
          const files = neededFiles(await apt.files(name, newest.version), true);
          chosen.push({ name, version: newest.version, files });
        }
      }
    });
    await Promise.all(workers);
    const downloads = chosen.flatMap(({ files }) => files.map((file) => ({ ...file, into: place(file.name) })));
    let failures = await apt.download(downloads);
    const broken = downloads.filter(({ uri }) => failures.get(uri)?.missing === false);
    // Once more: mirrors have bad moments.
    if (broken.length > 0) failures = new Map([...failures, ...(await apt.download(broken))]);
    for (const { name, version, files } of chosen) {
      const target = { tree: join(folder, name, 'tree'), series: join(folder, name, 'series') };
      mkdirSync(target.tree, { recursive: true });
      mkdirSync(target.series);
      if (files.some((file) => !existsSync(place(file.name)))) passedOver.push(name);
      else {
        for (const file of files) await unpackDebianFile({ name: file.name, path: place(file.name) }, target);
        const patches = readSeriesFolder(target.series);
        if (patches.length === 0) passedOver.push(name);
        else packages.push({ name, version, tree: target.tree, patches });
      }
    }
  }
  return { packages, passedOver };
}

/** What dpkg-source gives to GNU patch, but for the backups that it keeps aside. */
export const dpkgOptions = ['-t', '-F', '0', '-N', '-p1', '-u', '-V', 'never', '-E'] as const;

/** Applies patches with GNU patch, one process each, as dpkg-source does. @throws when one is refused. */
export function patchWithGnu(tree: string, patches: readonly SeriesPatch[]): void {
  const options = [...dpkgOptions, '--no-backup-if-mismatch', '--reject-file=-', '-s', '-i'];
  for (const { name, path } of patches) {
    if (readFileSync(path).length === 0) continue;
    const { status, stdout, stderr } = spawnSync('patch', [...options, path], { cwd: tree, encoding: 'latin1' });
    if (status !== 0) throw new Error(`GNU patch refuses ${name}: ${stdout}${stderr}`);
  }
}

/** A copy by another hand than ours. */
export function copyWithCp(from: string, to: string): void {
  execFileSync('cp', ['-a', from, to]);
}

/** Every path of a tree with its type, all of its mode, and its content or target. */
export const listing = (top: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    walk(top).map(({ path, type, mode, target }) => [
      path,
      `${type} ${mode.toString(8)} ${target ?? (type === 'file' ? digestOf(readFileSync(join(top, path))) : '')}`,
    ]),
  );

/** Applies a package's series to its tree in the dpkg dialect, and with GNU patch to a copy; insists that both are the same. */
export async function compareWithGnu({ tree, patches }: CorpusPackage): Promise<void> {
  const gnu = `${tree}.gnu`;
  copyWithCp(tree, gnu);
  patchWithGnu(gnu, patches);
  await applySeries({ tree, patches, dialect: 'dpkg' });
  assert.deepEqual(listing(tree), listing(gnu));
}

/**
 * What the strict dialect makes of a series, against the dpkg one: the same tree, a refusal by its code, or a tree with empty files
 * that dpkg drops. @throws when it is anything else.
 */
export async function strictOutcome({ tree, patches }: CorpusPackage): Promise<string> {
  const [strict, dpkg] = [`${tree}.strict`, `${tree}.dpkg`];
  for (const copy of [strict, dpkg]) copyWithCp(tree, copy);
  await applySeries({ tree: dpkg, patches, dialect: 'dpkg' });
  try {
    await applySeries({ tree: strict, patches, dialect: 'strict' });
  } catch (error) {
    if (!(error instanceof VbuildError)) throw error;
    return `${error.code} (${error.message}, ${error.where.file}:${error.where.line})`;
  }
  const [ours, theirs] = [listing(strict), listing(dpkg)];
  const differing = Object.keys({ ...ours, ...theirs }).filter((path) => ours[path] !== theirs[path]);
  const empty = `file 644 ${digestOf('')}`;
  for (const path of differing) {
    const isFolder = ours[path]?.startsWith('directory ') === true;
    assert.ok(
      theirs[path] === undefined && (isFolder || ours[path] === empty),
      `${path}: ${ours[path]}, ${theirs[path]}`,
    );
  }
  return differing.length === 0 ? 'the same tree' : `keeps empty files: ${differing.join(', ')}`;
}

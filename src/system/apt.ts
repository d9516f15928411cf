/** Asks the machine's own apt for source packages, in a state of our own: no root, no `deb-src` lines, apt's proxies, keys and checks. */
import { dirname, join } from 'node:path';
import { type Digest, digestOf } from '../model/digest.ts';
import { VbuildError } from '../model/error.ts';
import { fetchFailures, listedFiles, type OfferedFile, offersIn, records, type SourceOffer } from './apt-output.ts';
import { readRepositories, sourcesOnly, writeRepositories } from './apt-sources.ts';
import { exists, makeFolder, readIfThere, removeTree, writeAtomically } from './files.ts';
import { type Finished, run } from './process.ts';
import { lastLines } from './tail.ts';
import { systemPath } from './user-environment.ts';

interface Download {
  readonly uri: string;
  /** Absolute path of the file to write; must not exist, its folder must. */
  readonly into: string;
  readonly digest: Digest;
}

/** Why a download did not come: the mirror says that it has no such file, or anything else. */
interface DownloadFailure {
  readonly missing: boolean;
  /** In apt's words. */
  readonly reason: string;
}

/** What stands in the indexes after `refresh`. */
export interface Indexes {
  /** Changes whenever an update has run; empty before the first one. */
  readonly revision: string;
  /** apt's last words when some repositories could not be read; what was read of them before is still used. */
  readonly trouble?: string;
  /** Whether this very call updated them (of several callers at once, the first). */
  readonly updatedHere: boolean;
}

export interface Apt {
  /**
   * Updates the indexes when they are older than asked for, were made from other lists of repositories, or are not there.
   * @param maxAgeMs 0 asks for indexes that were updated while this process runs, which happens once at most.
   */
  refresh(maxAgeMs: number): Promise<Indexes>;
  /** The versions of a source package in the indexes as they are, in no order. */
  offers(sourcePackage: string): Promise<SourceOffer[]>;
  /** All files of one of these versions, in the index's order. @throws {VbuildError} `debian-source` */
  files(sourcePackage: string, version: string): Promise<OfferedFile[]>;
  /** Names of the source packages that a binary package (or a source package) of this name is built from. */
  sourcesOf(name: string): Promise<string[]>;
  /** Downloads files, each one checked against its digest; what failed, by URI. Only what did not fail is there afterwards. */
  download(files: readonly Download[]): Promise<Map<string, DownloadFailure>>;
}

interface AptPlace {
  /** Absolute path of the folder for the private state, shared by all packages and processes of one user; made when it is not there. */
  readonly folder: string;
  /** The user's environment: apt gets its proxies, `APT_CONFIG` and `PATH` from there, and nothing else. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/**
 * Prepares the private state beside the machine's own; no network.
 *
 * @throws {VbuildError} `tool-missing` where there is no apt, `debian-source` where its lists of repositories cannot be read.
 */
export async function openApt({ folder, environment, signal }: AptPlace): Promise<Apt> {
  const env = aptEnvironment(environment);
  makeFolder(folder);
  const call = async (argv: readonly string[]): Promise<Finished> => {
    const finished = await run({ argv, cwd: folder, env, signal });
    signal.throwIfAborted();
    if (finished.failure !== undefined) throw noApt(argv[0] ?? '', finished.failure, env.PATH);
    return finished;
  };

  const { methods, list, parts } = await systemPlaces(call);
  const repositories = readRepositories(list, parts).map(sourcesOnly);
  const sourcesRevision = digestOf(JSON.stringify(repositories)).slice(0, 16);
  const options = privateState(folder, writeRepositories(folder, sourcesRevision, repositories));
  const helper = join(dirname(methods), 'apt-helper');

  return {
    async refresh(maxAgeMs) {
      const stamp = join(folder, 'updated');
      const before = readIfThere(stamp) ?? '';
      if (isRecent(before, sourcesRevision, maxAgeMs)) return { revision: before, updatedHere: false };
      const running = updates.get(folder);
      if (running?.sources === sourcesRevision) return { ...(await running.done), updatedHere: false };
      const done = update({ call, options, folder, stamp, before, after: `${sourcesRevision} ${Date.now()}` });
      updates.set(folder, { sources: sourcesRevision, done });
      done.catch(() => updates.delete(folder));
      return done;
    },

    async offers(sourcePackage) {
      const found = await call(['apt-cache', ...options, '--only-source', 'showsrc', sourcePackage]);
      return offersIn(found.stdout, sourcePackage);
    },

    async files(sourcePackage, version) {
      // The pin is a SHA-256, whatever stronger digests an index has beside it.
      const asked = ['-o', 'Acquire::ForceHash=sha256', '--only-source', '--print-uris', 'source'];
      const listed = await call(['apt-get', ...options, ...asked, `${sourcePackage}=${version}`]);
      if (listed.exitStatus === 0) return listedFiles(listed.stdout);
      throw aptFailed('Source package cannot be listed by apt', listed, { package: `${sourcePackage} ${version}` });
    },

    async sourcesOf(name) {
      const found = await call(['apt-cache', ...options, 'showsrc', name]);
      return [...new Set(records(found.stdout).flatMap(({ Package }) => Package ?? []))].sort();
    },

    async download(files) {
      // Of a local repository apt would only make a symbolic link.
      const jobs = files.map((file) => ({ ...file, source: file.uri.replace(/^file:/, 'copy:') }));
      const finished = await call([
        helper,
        ...options,
        'download-file',
        ...jobs.flatMap(({ source, into, digest }) => [source, into, `SHA256:${digest}`]),
      ]).finally(() => {
        for (const { into } of jobs) removeTree(`${into}.FAILED`);
        if (signal.aborted) for (const { into } of jobs) removeTree(into);
      });
      const reasons = fetchFailures(finished.stderr);
      const failures = new Map<string, DownloadFailure>();
      for (const { uri, source, into } of jobs) {
        const reason = reasons.get(source);
        if (reason === undefined && exists(into)) continue;
        removeTree(into);
        failures.set(uri, {
          missing: reason !== undefined && /^(404|410)\b|\(2: No such file or directory\)/.test(reason),
          reason: reason ?? said(finished),
        });
      }
      return failures;
    },
  };
}

/** One update per folder, lists of repositories and process, whatever it came to: nine packages shall not wait for a dead mirror nine times. */
const updates = new Map<string, { readonly sources: string; readonly done: Promise<Indexes> }>();
const processStartMs = Date.now() - performance.now();

/** @param stamp `REVISION-OF-SOURCES MILLISECONDS`, as `update` leaves it. */
function isRecent(stamp: string, sourcesRevision: string, maxAgeMs: number): boolean {
  const [sources, updatedText] = stamp.split(' ');
  const updatedMs = Number(updatedText);
  const now = Date.now();
  return (
    sources === sourcesRevision && updatedMs <= now && (now - updatedMs <= maxAgeMs || updatedMs >= processStartMs)
  );
}

interface Update {
  readonly call: (argv: readonly string[]) => Promise<Finished>;
  readonly options: readonly string[];
  readonly folder: string;
  readonly stamp: string;
  /** What the stamp holds now, and will hold. */
  readonly before: string;
  readonly after: string;
}

/** Who waited for the lock while another process updated finds another stamp, and has nothing left to do. */
const underLock = `
stamp=$1 before=$2 after=$3; shift 3
[ "$(cat "$stamp" 2>/dev/null)" = "$before" ] || exit 0
"$@" || exit
printf %s "$after" >"$stamp.new" && mv "$stamp.new" "$stamp"`;

async function update({ call, options, folder, stamp, before, after }: Update): Promise<Indexes> {
  const aptGet = ['apt-get', ...options, '-o', 'APT::Update::Error-Mode=any', '-qq', 'update'];
  // apt's own lock would turn the second process away; this one makes it wait, and goes with its holder.
  const finished = await call([
    'flock',
    join(folder, 'lock'),
    'sh',
    '-c',
    underLock,
    'sh',
    stamp,
    before,
    after,
    ...aptGet,
  ]);
  const revision = readIfThere(stamp) ?? '';
  // Repositories that were read before the failing one count as news, too.
  return finished.exitStatus === 0
    ? { revision, updatedHere: true }
    : { revision: `${revision} tried ${after}`, trouble: said(finished), updatedHere: true };
}

/** apt's own configuration stays in force (proxies, certificates, credentials, keys); only its places are ours. */
function privateState(folder: string, sourceParts: string): string[] {
  const status = join(folder, 'status');
  const configuration = join(folder, 'apt.conf');
  makeFolder(join(folder, 'lists', 'partial'));
  makeFolder(join(folder, 'cache', 'archives', 'partial'));
  if (!exists(status)) writeAtomically(status, '');
  // Hooks of the system (desktop catalogues, cleaning of the cache) are about the system's state, not ours.
  if (!exists(configuration)) writeAtomically(configuration, '#clear APT::Update;\n');
  const places = {
    'Dir::State': folder,
    'Dir::State::lists': join(folder, 'lists'),
    'Dir::State::status': status,
    'Dir::Cache': join(folder, 'cache'),
    'Dir::Cache::archives': join(folder, 'cache', 'archives'),
    'Dir::Cache::pkgcache': '',
    'Dir::Cache::srcpkgcache': '',
    'Dir::Etc::sourcelist': '/dev/null',
    'Dir::Etc::sourceparts': sourceParts,
  };
  return ['-c', configuration, ...Object.entries(places).flatMap(([name, value]) => ['-o', `${name}=${value}`])];
}

/** Where the machine's apt keeps its methods and its lists of repositories. */
async function systemPlaces(call: Update['call']): Promise<{ methods: string; list: string; parts: string }> {
  const asked = { methods: 'Dir::Bin::methods/d', list: 'Dir::Etc::sourcelist/f', parts: 'Dir::Etc::sourceparts/d' };
  const finished = await call(['apt-config', 'shell', ...Object.entries(asked).flat()]);
  if (finished.exitStatus !== 0) throw aptFailed('Configuration of apt cannot be read', finished, {});
  const answer = (name: string): string => new RegExp(`^${name}='(.*?)/?'$`, 'm').exec(finished.stdout)?.[1] ?? '';
  return { methods: answer('methods'), list: answer('list'), parts: answer('parts') };
}

/** Variables of the user's that apt reads; everything else stays out, and its messages come in English for the parser. */
function aptEnvironment(
  environment: AptPlace['environment'],
): Readonly<Record<string, string>> & { readonly PATH: string } {
  const names = [
    'APT_CONFIG',
    'TMPDIR',
    ...['http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'].flatMap((name) => [name, name.toUpperCase()]),
  ];
  const kept = names.flatMap((name) => (environment[name] === undefined ? [] : [[name, environment[name]] as const]));
  return {
    ...Object.fromEntries(kept),
    PATH: environment.PATH ?? systemPath,
    LC_ALL: 'C',
  };
}

function aptFailed(headline: string, finished: Finished, facts: Readonly<Record<string, string>>): VbuildError {
  return new VbuildError('debian-source', headline, {
    facts: { ...facts, 'exit status': String(finished.exitStatus ?? finished.signal), 'apt said': said(finished) },
    mend: 'see that `apt-get update` works on this machine',
  });
}

function noApt(program: string, failure: string, path: string): VbuildError {
  return new VbuildError('tool-missing', 'Source of the kind debian needs a machine with apt', {
    facts: { 'looked for': program, in: path, found: failure },
    mend: 'use tarball() or git() where there is no apt',
  });
}

const said = ({ stdout, stderr }: Finished): string => lastLines(stderr.trim() || stdout, 4);

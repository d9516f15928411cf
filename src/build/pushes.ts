/** Uploads beside the builds: an artifact leaves as soon as it is packed, its manifest after those of its dependencies. */
import { type Package, packageId } from '../buildfile/package.ts';
import type { CacheTier } from '../cache/cache.ts';
import { push, type Pushed, pushSource, type PutBlob } from '../cache/push.ts';
import type { Trust } from '../cache/trust.ts';
import { VbuildError } from '../model/error.ts';
import type { Facts, PackageFacts } from './facts.ts';
import { directDependencies } from './graph.ts';
import { type ProjectFiles, type Provenance, provenanceOf } from './provenance.ts';
import type { Run } from './run.ts';
import { original } from '../artifact/sealed.ts';
import { sealFor } from './seal.ts';
import { sourceFiles } from './source-files.ts';
import { signingKey, type SigningSource } from './signing-key.ts';

/** What is to be published, and how. */
export interface Publishing {
  /** The Buildfile and all that it imports; absolute paths. */
  readonly files: ProjectFiles['files'];
  /** Packages that were named one by one: they are pushed even where they rest on what no commit holds. */
  readonly named: readonly Package[];
  readonly signing: SigningSource;
}

export interface Pushes {
  /** Starts the uploads of a package's source, which was just fetched; returns at once. */
  addSource(one: Package): void;
  /** Starts the uploads of a package whose artifact lies in the disk cache; returns at once. */
  add(one: Package): void;
  /** Waits for all of them. @returns What failed; it has been emitted. */
  done(): Promise<readonly VbuildError[]>;
  /** Once that is over: what was not pushed because it rests on what no commit holds; it has been said. */
  readonly withheld: ReadonlyMap<Package, string>;
  /** And what some tier does not have because its own upload failed, or that of something it needs. */
  readonly unsent: ReadonlySet<Package>;
}

interface PushRequest {
  /** Those to fill; none when no push was asked for. */
  readonly tiers: readonly CacheTier[];
  readonly facts: Facts;
  readonly publishing: Publishing;
  readonly trust: Trust | undefined;
  /** Sources are completed for artifacts that are there already, too. */
  readonly thorough?: boolean;
  /** What is there and cannot be used is replaced. */
  readonly repair?: boolean;
}

/** Why an artifact is not pushed: what it rests on no commit holds, or what it needs is not pushed. @param at.withheld What is known of what it needs. */
export function reasonToWithhold(
  one: Package,
  at: Pick<Publishing, 'named'> & {
    readonly provenance: Provenance;
    readonly withheld: ReadonlyMap<Package, string>;
  },
): string | undefined {
  const own = at.named.includes(one) ? undefined : at.provenance.unclean(one);
  const lacking = directDependencies(one).find((other) => at.withheld.has(other));
  return own ?? (lacking && `it needs ${packageId(lacking)}, which is not pushed`);
}

type Sent = 'there' | 'failed' | 'withheld';

/** @throws {VbuildError} `signing-key` */
export function startPushes({ tiers, facts, publishing, trust, thorough, repair }: PushRequest, run: Run): Pushes {
  const failures: VbuildError[] = [];
  const withheld = new Map<Package, string>();
  const unsent = new Set<Package>();
  const under = new Map<string, Promise<Sent>>();
  const sources = new Map<string, Promise<readonly PutBlob[]>>();
  const early: Promise<Sent>[] = [];
  const told = new Set<VbuildError>();
  if (tiers.length === 0) return { addSource: () => {}, add: () => {}, done: async () => failures, withheld, unsent };
  const key = signingKey(publishing.signing, trust?.keys.values());
  const { folder } = run.workspace;
  const options = {
    repair: repair ?? false,
    thorough: thorough ?? false,
    scratch: () => run.disk.blobs.temporaryPath(),
  };
  let asked: Promise<Provenance> | undefined;
  const provenance = (): Promise<Provenance> =>
    (asked ??= provenanceOf({ folder, files: publishing.files }, facts, run));

  // A source counts by itself: nothing that it needs is pushed before it.
  const ownReason = async (one: Package): Promise<string | undefined> =>
    publishing.named.includes(one) ? undefined : (await provenance()).unclean(one);

  async function send(one: Package, tier: CacheTier): Promise<Sent> {
    const known = facts.of(one);
    const before = await Promise.all(
      directDependencies(one).map(async (other) => [other, await under.get(uploadOf(other, tier))] as const),
    );
    if (before.some(([, sent]) => sent === 'failed')) return 'failed';
    const { named } = publishing;
    const reason = reasonToWithhold(one, { named, provenance: await provenance(), withheld });
    if (reason !== undefined) {
      withheld.set(one, reason);
      return 'withheld';
    }
    return reported(one, async () => {
      const { equalOnly, ...pushed } = await contentOf(known, tier, await provenance());
      const done = await push(pushed, tier, run.signal, { ...options, equalOnly });
      const { sizeBytes } = pushed.sealed.manifest.body;
      if (done) run.emit({ type: 'pushed', package: packageId(one), tier: tier.name, sizeBytes });
    });
  }

  /** Each trouble counts once: what kept a source from being sent also keeps its artifact. */
  async function reported(one: Package, work: () => Promise<unknown>): Promise<'there' | 'failed'> {
    try {
      await work();
      return 'there';
    } catch (thrown) {
      if (run.signal.aborted) return 'failed';
      if (!(thrown instanceof VbuildError)) throw thrown;
      if (told.has(thrown)) return 'failed';
      told.add(thrown);
      const error = thrown.at({ package: packageId(one) });
      run.emit({ type: 'package-failed', package: packageId(one), error });
      failures.push(error);
      return 'failed';
    }
  }

  async function contentOf(
    known: PackageFacts,
    tier: CacheTier,
    from: Provenance,
  ): Promise<Pushed & { readonly equalOnly: boolean }> {
    const { package: one, key: contentKey } = known;
    const found = await run.disk.lookUp(one.name, contentKey, run.signal);
    if (found.outcome !== 'hit') throw new Error(`${known.id} is not in the disk cache any more: ${found.outcome}`);
    const sealed = sealFor(found, known, { key, trust, provenance: from });
    // Of one that stands in for another and that we cannot sign, the other is handed on: readers find it as we did.
    const signedAs = original(sealed);
    return {
      sealed: signedAs ?? sealed,
      equalOnly: signedAs !== undefined,
      bodyFile: run.disk.blobs.pathOf(found.manifest.body.digest),
      source: () => sendSource(known, tier),
    };
  }

  /** Once for each source and tier, whoever asks. */
  function sendSource(known: PackageFacts, tier: CacheTier): Promise<readonly PutBlob[]> {
    const upload = uploadOf(known.package, tier);
    const sent =
      sources.get(upload) ?? sourceFiles(known, run).then((files) => pushSource(files, tier, run.signal, options));
    sources.set(upload, sent);
    return sent;
  }

  return {
    addSource(one) {
      const known = facts.of(one);
      for (const tier of tiers)
        early.push(reported(one, async () => (await ownReason(one)) ?? sendSource(known, tier)));
    },
    add(one) {
      for (const tier of tiers)
        under.set(
          uploadOf(one, tier),
          send(one, tier).then((sent) => {
            if (sent === 'failed') unsent.add(one);
            return sent;
          }),
        );
    },
    async done() {
      await Promise.all([...under.values(), ...early]);
      if (withheld.size > 0) run.emit(notPushed(withheld));
      return failures;
    },
    withheld,
    unsent,
  };
}

const uploadOf = (one: Package, tier: CacheTier): string => `${tier.name} ${packageId(one)}`;

function notPushed(withheld: ReadonlyMap<Package, string>): Parameters<Run['emit']>[0] {
  const names = [...withheld.keys()].map(({ name }) => name).join(' ');
  return {
    type: 'notice',
    level: 'warning',
    code: 'push-withheld',
    headline: 'Artifacts that rest on what no commit holds are not pushed',
    facts: {
      ...Object.fromEntries([...withheld].map(([one, reason]) => [packageId(one), reason])),
      mend: `commit it, or push them by name with: vbuild cache push ${names}`,
    },
  };
}

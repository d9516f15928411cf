/** A cache tier over a store of objects: every trouble becomes an answer, and a store out of reach is waited for once per run. */
import { equalKeyOf } from '../artifact/equal.ts';
import type { Signer } from '../artifact/signer.ts';
import { fileStat } from '../system/files.ts';
import type { ListedObject, ObjectStat, PutOutcome, WritableObjects } from '../system/objects.ts';
import { type Asking, asking, lackOf, type PutObject, smallPut, type Store } from './asking.ts';
import type { Answer, BlobRef, CacheTier, TierObjects } from './cache.ts';
import { foreseen } from './foresight.ts';
import type { Place } from './judge.ts';
import { artifactsFolder, type Asked, blobObject, folderFor, objectFor, ourFolder, signerIn } from './layout.ts';
import { objectReleases } from './object-releases.ts';
import { objectTrees } from './object-trees.ts';
import { type Patience, TooSlow } from './patience.ts';
import { noWorseThan, signersFor, strangers, type Trust } from './trust.ts';

/** A body that lies there this long without anybody having looked after it may be swept away: it is put anew before a manifest names it. */
const RENEW_AFTER_MS = 24 * 60 * 60 * 1000;

/**
 * For as long as the tier object lives, a store that proved to be out of reach is not asked again, see `asking`.
 *
 * @param trust Whose manifests are acceptable; those that nobody signed when not given.
 */
export function objectTier(store: Store, trust: Trust | undefined, patience: Patience): CacheTier {
  const { name, within, shown } = store;
  const { ask, insist, demand, failed, traffic } = asking(store, patience);
  let conditional = true;
  const signers = signersFor(trust);
  /** Look-ups that took too long, since the last one that did not. */
  let slowInRow = 0;
  /** Manifests that were not there when they were last asked for. */
  const absent = new Set<string>();
  /** Full names of blobs that came damaged when they were last read. */
  const damaged = new Set<string>();
  /** Whose manifests there are, for keys of which that is known. */
  const known = new Map<string, readonly Signer[]>();

  /** The manifest in the place of one signer. */
  async function lookAt(place: Place, signal: AbortSignal, by: Trust | undefined = trust): Promise<Answer> {
    const { LARGEST_MANIFEST, judgeManifest } = await import('./judge.ts');
    const object = objectFor(place, place.signer);
    const asked = await ask((objects, once) => objects.getSmall(within(object), LARGEST_MANIFEST, once), signal);
    if (asked.outcome === 'absent') absent.add(object);
    else absent.delete(object);
    if (asked.outcome !== 'done') return lackOf(asked);
    const judged = judgeManifest(asked.value, place, by);
    return judged.outcome === 'hit' ? judged : { outcome: 'rejected', reason: judged.reason };
  }

  /** Everybody whose manifest is there; undefined when the store cannot or will not tell. */
  async function signersOf(folder: string, signal: AbortSignal): Promise<readonly Signer[] | undefined> {
    const there = known.get(folder);
    if (there !== undefined) return there;
    const prefix = within(`${folder}/`);
    const asked = await ask(async (objects, once) => objects.list?.(prefix, { most: 100, signal: once }), signal);
    return asked.outcome === 'done'
      ? asked.value?.objects.flatMap((one) => signerIn(one.name.slice(prefix.length)) ?? [])
      : undefined;
  }

  async function lookUp(asked: Asked, signal: AbortSignal): Promise<Answer> {
    if (slowInRow >= patience.slowLookUps)
      return {
        outcome: 'unreachable',
        reason: `${slowInRow} answers one after the other took longer than ${patience.slowMs} ms`,
      };
    const startedMs = performance.now();
    const answered = await lookUpNow(asked, signal);
    slowInRow = performance.now() - startedMs > patience.slowMs ? slowInRow + 1 : 0;
    return answered;
  }

  async function lookUpNow(asked: Asked, signal: AbortSignal): Promise<Answer> {
    const reasons: string[] = [];
    const folder = folderFor(asked);
    let there = known.get(folder);
    for (const signer of signers) {
      if (there !== undefined && !there.includes(signer)) continue;
      const found = await lookAt({ ...asked, signer }, signal);
      if (found.outcome === 'hit' || found.outcome === 'unreachable') return found;
      if (found.outcome === 'rejected') reasons.push(found.reason);
      // Without a policy there is one place only.
      else if (trust !== undefined) there ??= await signersOf(folder, signal);
    }
    if (reasons.length === 0 && trust !== undefined && there !== undefined && there.length > 0)
      reasons.push(`it is ${strangers(there)}`);
    return reasons.length === 0 ? { outcome: 'absent' } : { outcome: 'rejected', reason: reasons.join('; ') };
  }

  /** A server that knows no conditions is asked whether the object is there, and then given it without one. */
  const put: PutObject = async (object, request, signal, { waits, isThere, replace }) => {
    if (conditional && !replace) {
      const outcome = await insist(object, (objects, once) => request(objects, false, once), signal, waits);
      if (outcome !== 'unconditional') return outcome;
      conditional = false;
    }
    if (!replace && (await isThere())) return 'there';
    const outcome = await insist(object, (objects, once) => request(objects, true, once), signal, waits);
    if (outcome === 'written') return outcome;
    throw failed(object, {
      reason: 'the server does not take it, with and without a condition',
      mend: 'check the endpoint',
    });
  };

  /**
   * Whether a blob is there whole. Who relies on it keeps it, and what names it, from being swept away; who may only read cannot, and
   * need not.
   *
   * @param namedBy Full name of the object that names it.
   */
  async function isKept(
    namedBy: string,
    { digest, sizeBytes }: Required<BlobRef>,
    signal: AbortSignal,
  ): Promise<boolean> {
    const blob = within(blobObject(digest));
    if (damaged.has(blob)) return false;
    const stat = await ask((objects, once) => objects.stat(blob, once), signal);
    if (stat.outcome !== 'done' || stat.value?.sizeBytes !== sizeBytes) return false;
    if (Date.now() - stat.value.modifiedMs > RENEW_AFTER_MS)
      for (const one of [namedBy, blob])
        await ask((objects, once) => (objects as WritableObjects).renew(one, once), signal, undefined, 'write');
    return true;
  }

  return {
    ...objectTrees({ within, ask, failed, put, isKept }),
    releases: objectReleases({ within, ask, put }),
    name,
    writable: store.writable,
    ...(store.fillable && { fillable: store.fillable }),
    traffic,
    ...(store.writable && { objects: tierObjects(store, demand, lookAt) }),
    async foresee(wanted, signal) {
      if (!store.pages) return;
      const list = async (after: string) =>
        ask(
          async (objects, once) =>
            objects.list?.(within(`${artifactsFolder}/`), { after: within(after), signal: once }),
          signal,
        );
      for (const [folder, there] of await foreseen(wanted, signers.length, within(''), list)) known.set(folder, there);
    },
    lookUp: (packageName, key, signal, tree) => lookUp({ name: packageName, key, tree }, signal),
    lookUpEqual: (packageName, equal, signal, tree) => lookUp({ name: packageName, equal, tree }, signal),
    async fetchBlob(blob, into, signal, progress) {
      const object = within(blobObject(blob.digest));
      const asked = await ask(
        (objects, once) => objects.getFile(object, into, { ...blob, signal: once, watch: paceOf(patience, progress) }),
        signal,
        {},
      );
      if (asked.outcome === 'rejected') damaged.add(object);
      else damaged.delete(object);
      return asked.outcome === 'done' ? { outcome: 'done' } : lackOf(asked);
    },
    async holds(sealed, signal) {
      const { manifest, signer } = sealed;
      const place = { name: manifest.package.name, key: manifest.key, signer };
      const object = objectFor(place, signer);
      if (absent.has(object)) return false;
      const found = await lookAt(place, signal, noWorseThan(sealed, trust));
      return found.outcome === 'hit' && (await isKept(within(object), found.manifest.body, signal));
    },
    async putBlob(digest, file, signal, repair = false) {
      const object = within(blobObject(digest));
      const sizeBytes = fileStat(file)?.sizeBytes;
      if (sizeBytes === undefined) throw new Error(`there is no file ${file} to upload`);
      const stat = (): Promise<ObjectStat | undefined> =>
        insist(object, (objects, once) => objects.stat(object, once), signal);
      const problemOf = (there: ObjectStat): string | undefined => {
        if (there.sizeBytes !== sizeBytes)
          return `an object of ${there.sizeBytes} bytes is there, this one has ${sizeBytes}`;
        return damaged.has(object) ? 'the object that is there came damaged' : undefined;
      };
      // Asked first, because a refused upload would still send every byte.
      const found = await stat();
      const problem = found && problemOf(found);
      if (problem !== undefined && !repair) throw failed(object, { reason: problem, mend: repairing });
      if (found !== undefined && problem === undefined) {
        if (Date.now() - found.modifiedMs < RENEW_AFTER_MS) return 'there';
        await insist(object, (objects, once) => objects.renew(object, once), signal);
        return 'renewed';
      }
      const waits = { tryMs: patience.bodyMs + Math.ceil((sizeBytes / patience.slowestBytes) * 1000) };
      const send = (objects: WritableObjects, replace: boolean, once: AbortSignal): Promise<PutOutcome> =>
        objects.putFile(object, file, { digest, replace, signal: once });
      const done = await put(object, send, signal, { waits, isThere: async () => false, replace: found !== undefined });
      damaged.delete(object);
      const there = done === 'there' ? await stat() : undefined;
      const reason = there && problemOf(there);
      if (reason !== undefined) throw failed(object, { reason, mend: repairing });
      return done;
    },
    async putEqual(sealed, signal, repair = false) {
      const { manifest, signer, bytes } = sealed;
      const equal = equalKeyOf(manifest);
      if (equal === undefined) return;
      const place = { name: manifest.package.name, equal, signer };
      const object = within(objectFor(place, signer));
      const send = smallPut(object, bytes);
      const isThere = async (): Promise<boolean> =>
        (await insist(object, (objects, once) => objects.stat(object, once), signal)) !== undefined;
      if ((await put(object, send, signal, { isThere, replace: false })) === 'written' || !repair) return;
      if ((await lookAt(place, signal, noWorseThan(sealed, trust))).outcome === 'rejected')
        await put(object, send, signal, { isThere, replace: true });
    },
    async putManifest(sealed, signal, repair = false) {
      const { manifest, signer, bytes } = sealed;
      const { key, body } = manifest;
      const place = { name: manifest.package.name, key, signer };
      const object = within(objectFor(place, signer));
      const by = noWorseThan(sealed, trust);
      const look = (): Promise<Answer> => lookAt(place, signal, by);
      const send = smallPut(object, bytes);
      const isThere = async (): Promise<boolean> => (await look()).outcome !== 'absent';
      absent.delete(objectFor(place, signer));
      if ((await put(object, send, signal, { isThere, replace: false })) === 'written') return;
      // Ours, whose answer was lost, or another build of the same key: either will do, if it is whole.
      const found = await look();
      if (found.outcome === 'absent')
        throw failed(object, { reason: 'it was removed at the same time', mend: 'push again' });
      const problem = found.outcome === 'hit' ? await bodyProblem(found.manifest.body) : found.reason;
      if (problem === undefined) return;
      if (!repair || found.outcome === 'unreachable')
        throw failed(object, { reason: `what is there cannot be used: ${problem}`, mend: repairing });
      await put(object, send, signal, { isThere, replace: true });

      async function bodyProblem({ digest, sizeBytes }: typeof body): Promise<string | undefined> {
        if (digest === body.digest) return undefined;
        const theirs = within(blobObject(digest));
        if (damaged.has(theirs)) return `it names a body that came damaged: ${shown(theirs)}`;
        const there = await insist(theirs, (objects, once) => objects.stat(theirs, once), signal);
        return there?.sizeBytes === sizeBytes ? undefined : `it names a body that is not there: ${shown(theirs)}`;
      }
    },
  };
}

function tierObjects(
  { within }: Store,
  demand: Asking['demand'],
  lookAt: (place: Place, signal: AbortSignal, by: Trust | undefined) => Promise<Answer>,
): TierObjects {
  const top = within('').length;
  return {
    async all(prefix, signal) {
      const found: ListedObject[] = [];
      for (let after: string | undefined; ; after = found.at(-1)?.name) {
        const options = { ...(after !== undefined && { after: within(after) }) };
        const page = await demand(
          async (objects, once) => objects.list?.(within(prefix), { ...options, signal: once }),
          signal,
        );
        found.push(...(page?.objects ?? []).map((one) => ({ ...one, name: one.name.slice(top) })));
        if (page?.more !== true || page.objects.length === 0) return found;
      }
    },
    stat: (object, signal) => demand((objects, once) => objects.stat(within(object), once), signal),
    manifest: (place, signal) => lookAt(place, signal, undefined),
    remove: (object, signal) => demand((objects, once) => objects.remove(within(object), once), signal, 'write'),
    dropUnfinished: (beforeMs, signal) =>
      demand(
        async (objects, once) => (await objects.dropUnfinished?.(within(`${ourFolder}/`), beforeMs, once)) ?? 0,
        signal,
        'write',
      ),
  };
}

const repairing = 'replace it with: vbuild cache push --repair, and the name of the package';

/** Stops a body that trickles: silence is what the connection's own timer sees, a byte now and then is not. */
function paceOf(
  { bodyMs, slowestBytes }: Patience,
  progress: ((doneBytes: number) => void) | undefined,
): (doneBytes: number) => void {
  const startedMs = performance.now();
  return (doneBytes) => {
    const takenMs = performance.now() - startedMs;
    if (takenMs > bodyMs && doneBytes < (takenMs / 1000) * slowestBytes)
      throw new TooSlow(`${doneBytes} bytes in ${Math.round(takenMs)} ms`);
    progress?.(doneBytes);
  };
}

/** Listens to the events of a run and writes down what each package was made ready from, or failed with, as soon as that is known. */
import { type Package, packageId } from '../buildfile/package.ts';
import type { Digest } from '../model/digest.ts';
import { diskTrouble } from '../model/disk-trouble.ts';
import type { BuildEvent, Emit } from '../model/event.ts';
import { problemsOf } from '../model/problems.ts';
import type { Facts, PackageFacts } from './facts.ts';
import { type ReadyRecord, type StageRecord, writeRecord, writeStage } from './history.ts';
import { placesOf, type Workspace } from './workspace.ts';

interface Recorder {
  /** Notes an event, then passes it on. */
  readonly emit: Emit;
  /** Packages are recorded by the facts that were made known last. */
  readonly know: (facts: Facts) => void;
  /** Notes which of these packages could not even be pinned, as their sources cannot be had, and of which nothing is known therefore. */
  readonly unpinnable: (thrown: unknown, packages: readonly Package[], workspace: Workspace) => void;
}

interface Notes {
  readonly stages: Map<string, ReadyRecord['stages'][number]>;
  readonly answers: ReadyRecord['answers'][number][];
  /** The answer to the last question for an artifact that was made of the same, if a cache had one. */
  equalHit?: ReadyRecord['answers'][number];
}

export function recorder(next: Emit): Recorder {
  const known = new Map<string, PackageFacts>();
  const notes = new Map<string, Notes>();
  const of = (id: string): Notes => {
    const found = notes.get(id) ?? { stages: new Map(), answers: [] };
    notes.set(id, found);
    return found;
  };
  function write(id: string, end: Pick<ReadyRecord, 'outcome' | 'durationMs' | 'equal' | 'error'>): void {
    const facts = known.get(id);
    if (facts === undefined) return;
    const { key, keyText, source, patches } = facts;
    writeRecord(facts, {
      format: 1,
      package: id,
      endedAtMs: Date.now(),
      key,
      keyText,
      source: { spec: source.spec, pin: source.pin },
      patches: patches.map(({ input, strip }) => ({ name: input.name, digest: input.value as Digest, strip })),
      stages: [...of(id).stages.values()],
      answers: of(id).answers,
      ...end,
    });
  }
  /** What failed may have done so because nothing can be written any more. */
  function whereItCan(writes: () => void): void {
    try {
      writes();
    } catch (thrown) {
      if (diskTrouble(thrown) === undefined) throw thrown;
    }
  }
  function note(event: BuildEvent): void {
    switch (event.type) {
      case 'stage-started':
        of(event.package).stages.set(event.stage, { stage: event.stage, reasons: event.reasons });
        return;
      case 'stage-finished': {
        const { stages } = of(event.package);
        const { type: _, package: id, ...done } = event;
        stages.set(done.stage, { reasons: of(id).stages.get(done.stage)?.reasons ?? [], ...done });
        return;
      }
      case 'cache-looked-up': {
        const { tier, answer, reason, equal } = event;
        // What was asked for besides counts by what came of it.
        if (equal !== undefined) {
          if (answer === 'hit') of(event.package).equalHit = { tier, answer, equal: true };
          else delete of(event.package).equalHit;
          return;
        }
        of(event.package).answers.push(reason === undefined ? { tier, answer } : { tier, answer, reason });
        return;
      }
      case 'package-finished':
        if (event.outcome !== 'fresh') {
          const { outcome, equal } = event;
          const { answers, equalHit } = of(event.package);
          if (outcome === 'restored' && equalHit !== undefined) answers.push(equalHit);
          write(event.package, { outcome, durationMs: Math.round(event.durationMs), ...(equal && { equal }) });
        }
        return;
      case 'package-failed': {
        const { code, message: headline, where } = event.error;
        const error = { code, headline, ...(where.stage !== undefined && { stage: where.stage }) };
        // A failed upload leaves the package ready.
        if (code !== 'upload-failed')
          whereItCan(() => write(event.package, { outcome: 'failed', durationMs: 0, error }));
        return;
      }
      default:
    }
  }
  return {
    emit(event) {
      note(event);
      next(event);
    },
    know(facts) {
      for (const one of facts.known.values()) known.set(one.id, one);
    },
    unpinnable(thrown, packages, workspace) {
      for (const { where, message } of problemsOf(thrown) ?? []) {
        const one = packages.find((each) => packageId(each) === where.package);
        if (one === undefined || where.stage !== 'fetch') continue;
        const did: StageRecord = { stage: 'fetch', reasons: [], endedAtMs: Date.now(), failed: message };
        whereItCan(() => writeStage(placesOf(workspace, one), did));
      }
    },
  };
}

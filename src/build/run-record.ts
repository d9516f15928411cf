/** Listens to the events of a run and notes what happened when, so that it can be looked at afterwards. Decides nothing. */
import { packageId } from '../buildfile/package.ts';
import { VbuildError } from '../model/error.ts';
import { problemsOf } from '../model/problems.ts';
import type { BuildEvent, Emit, StageName } from '../model/event.ts';
import type { RunPackage, RunRecord, Work } from '../model/run-record.ts';
import { version } from '../model/version.ts';
import { lastDurations } from './durations.ts';
import { directDependencies, runClosure } from './graph.ts';
import type { BuildRequest } from './request.ts';
import { placesOf } from './workspace.ts';

interface RunRecorder {
  /** Notes an event, then passes it on. */
  readonly emit: Emit;
  /** @param thrown What stopped the run, if anything did. */
  end(exitStatus: number, thrown?: unknown): RunRecord;
}

type Open<Of> = { -readonly [Field in keyof Of]: Of[Field] };
interface Notes extends Open<Omit<RunPackage, 'work' | 'answers'>> {
  readonly work: Open<Work>[];
  readonly answers: RunPackage['answers'][number][];
}

/** @param startedMs When the run began, on the clock of `performance.now()`. */
export function runRecorder(
  { build, targets, workspace, options, platform, emit: next }: BuildRequest,
  startedMs: number,
): RunRecorder {
  const nowMs = (): number => Math.round(performance.now() - startedMs);
  const startedAtMs = Date.now() - nowMs();
  const notes = new Map<string, Notes>();
  /** When the artifact of a package was there. */
  const readyMs = new Map<string, number>();
  const byId = new Map(build.packages.map((one) => [packageId(one), one]));
  const traffic: RunRecord['traffic'][number][] = [];
  const warnings: RunRecord['warnings'][number][] = [];
  let install: Open<Work> | undefined;
  let generation: number | undefined;
  let prefix: string | undefined;

  const of = (id: string): Notes => {
    const found = notes.get(id);
    if (found !== undefined) return found;
    const one = byId.get(id);
    const made: Notes = {
      package: id,
      outcome: 'unfinished',
      needs: one === undefined ? [] : directDependencies(one).map(packageId),
      work: [],
      answers: [],
      before: one === undefined ? {} : lastDurations(placesOf(workspace, one)),
    };
    notes.set(id, made);
    return made;
  };
  const begun = (what: Work['what'], reasons: Work['reasons'], startMs = nowMs()): Open<Work> => ({
    what,
    reasons,
    startMs,
    endMs: startMs,
    steps: [],
    failed: true,
  });
  const running = (id: string, what: StageName): Open<Work> | undefined =>
    of(id).work.findLast((one) => one.what === what);

  function end(work: Open<Work> | undefined, failed: boolean, detail?: string): void {
    if (work === undefined) return;
    work.endMs = nowMs();
    work.failed = failed;
    if (detail !== undefined) work.detail = detail;
    work.steps = work.steps.map((step, at) => ({ ...step, endMs: work.steps[at + 1]?.startMs ?? work.endMs }));
  }

  function note(event: BuildEvent): void {
    switch (event.type) {
      case 'stage-started': {
        const work = begun(event.stage, event.reasons);
        if (event.stage === 'install') install = work;
        else of(event.package).work.push(work);
        return;
      }
      case 'stage-finished':
        return end(event.stage === 'install' ? install : running(event.package, event.stage), false, event.detail);
      case 'step-started': {
        const work = running(event.package, 'compile');
        const { group, command } = event;
        if (work !== undefined) work.steps = [...work.steps, { group, command, startMs: nowMs(), endMs: nowMs() }];
        return;
      }
      case 'cache-looked-up': {
        const { tier, answer, reason, key } = event;
        const one = of(event.package);
        one.key = key;
        one.answers.push({ tier, answer, ...(reason !== undefined && { reason }), atMs: nowMs() });
        return;
      }
      case 'package-finished': {
        const one = of(event.package);
        one.outcome = event.outcome;
        readyMs.set(event.package, nowMs());
        if (event.sizeBytes !== undefined) one.sizeBytes = event.sizeBytes;
        if (event.outcome !== 'restored') return;
        const work = begun('restore', [], Math.max(0, nowMs() - Math.round(event.durationMs)));
        end(work, false);
        const tier = one.answers.findLast(({ answer }) => answer === 'hit')?.tier;
        one.work.push({ ...work, ...(tier !== undefined && { tier }) });
        return;
      }
      case 'pushed': {
        const one = of(event.package);
        const work = begun('push', [], readyMs.get(event.package) ?? 0);
        end(work, false);
        one.work.push({ ...work, tier: event.tier });
        return;
      }
      case 'package-failed': {
        const one = of(event.package);
        const { code, message: headline, where } = event.error;
        one.error ??= { code, headline, ...(where.stage !== undefined && { stage: where.stage }) };
        // A failed upload leaves the package ready.
        if (code === 'upload-failed') return;
        one.outcome = 'failed';
        return end(
          one.work.findLast(({ failed }) => failed),
          true,
        );
      }
      case 'package-skipped': {
        const one = of(event.package);
        one.outcome = 'skipped';
        one.because = event.because;
        return;
      }
      case 'cache-traffic': {
        const { type: _, ...counted } = event;
        traffic.push(counted);
        return;
      }
      case 'notice':
        if (event.level === 'warning')
          warnings.push({ headline: event.headline, ...(event.package !== undefined && { package: event.package }) });
        return;
      case 'installed':
        generation = event.generation;
        prefix = event.prefix;
        return;
      default:
    }
  }

  return {
    emit(event) {
      note(event);
      next(event);
    },
    end(exitStatus, thrown) {
      const durationMs = nowMs();
      // What nothing was said of had nothing to do; what was running is cut off here.
      if (exitStatus === 0)
        for (const one of runClosure(targets)) if (!notes.has(packageId(one))) of(packageId(one)).outcome = 'fresh';
      for (const one of notes.values()) {
        const isThere =
          one.work.length === 0 && one.answers.some(({ tier, answer }) => tier === 'disk' && answer === 'hit');
        if (one.outcome === 'unfinished' && (exitStatus === 0 || isThere)) one.outcome = 'fresh';
        if (one.outcome === 'unfinished')
          end(
            one.work.findLast(({ failed }) => failed),
            true,
          );
      }
      const problems = problemsOf(thrown) ?? (thrown instanceof Error ? [thrown] : []);
      return {
        format: 1,
        vbuild: version,
        platform,
        jobs: options.jobs,
        targets: targets.map(({ name }) => name),
        startedAtMs,
        durationMs,
        exitStatus,
        ...(prefix !== undefined && { prefix }),
        ...(install !== undefined &&
          generation !== undefined && {
            installed: { startMs: install.startMs, endMs: install.endMs, reasons: install.reasons, generation },
          }),
        packages: [...notes.values()],
        traffic,
        warnings,
        errors: problems.map((one) => ({ code: one instanceof VbuildError ? one.code : 'bug', headline: one.message })),
      };
    },
  };
}

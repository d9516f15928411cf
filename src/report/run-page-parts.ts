/** The large parts of the page about a run: timeline, critical path, packages, slowest steps (pure). */
import { nameOf, versionOf } from '../model/package-id.ts';
import type { RunPackage, RunRecord } from '../model/run-record.ts';
import { answered, because, reason } from './phrases.ts';
import { comparison, criticalPath, type Item, type Lane, lanesOf, lengthOf, type Link } from './run-analysis.ts';
import { clock, duration, percentMore, shortened, signedPercent, size } from './words.ts';
import { escapedXml as text } from './xml.ts';

const laneNames: Readonly<Record<Lane['kind'], string>> = {
  cache: 'caches',
  prepare: 'fetch, patch',
  worker: 'worker',
  push: 'uploads',
  install: 'install',
};

/** Narrower bars have no room for a word. */
const leastForWords = 0.045;

export function timelineSection(record: RunRecord): string {
  const lanes = lanesOf(record);
  if (lanes.length === 0) return '';
  const totalMs = Math.max(1, record.durationMs, ...lanes.flatMap(({ items }) => items.map(({ work }) => work.endMs)));
  const path = new Set(criticalPath(record).map(({ work }) => `${work.what} ${work.startMs} ${work.endMs}`));
  const ticks = ticksFor(totalMs);
  const percent = (ms: number): string => `${((100 * ms) / totalMs).toFixed(3)}%`;
  const grid = ticks.map((ms) => `<span class="grid" style="left:${percent(ms)}"></span>`).join('');
  const bar = ({ package: id, work }: Item): string => {
    const { what, startMs, endMs, steps, failed } = work;
    const isThin = lengthOf(work) / totalMs < leastForWords;
    const classes = [
      'bar',
      what,
      ...(isThin ? ['thin'] : []),
      ...(failed ? ['broken'] : []),
      ...(path.has(`${what} ${startMs} ${endMs}`) ? ['path'] : []),
    ];
    const inside = steps
      .slice(1)
      .map(
        (step) =>
          `<i style="left:${((100 * (step.startMs - startMs)) / Math.max(1, lengthOf(work))).toFixed(2)}%"></i>`,
      );
    const style = `left:${percent(startMs)};width:${percent(Math.max(0, endMs - startMs))}`;
    const name = what === 'install' ? 'install' : `${nameOf(id)} ${what}`;
    return `<div class="${classes.join(' ')}" style="${style}" title="${text(tooltip(id, work))}">${isThin ? '' : text(name)}${inside.join('')}</div>`;
  };
  const many = (kind: Lane['kind']): boolean => lanes.filter((lane) => lane.kind === kind).length > 1;
  const rows = lanes.map(
    ({ kind, number, items }) =>
      `<div class="lane"><span>${laneNames[kind]}${kind === 'worker' || many(kind) ? ` ${number}` : ''}</span><div class="track">${grid}${items.map(bar).join('')}</div></div>`,
  );
  const used = [...new Set(lanes.flatMap(({ items }) => items.map(({ work }) => work.what)))];
  const axis = ticks.map((ms) => `<span class="tick" style="left:${percent(ms)}">${clock(ms)}</span>`).join('');
  return `<section><h2>Timeline</h2>
<p class="soft">Each row is one worker; fine lines inside a bar part its steps. Point at a bar for more.</p>
<div class="scroll"><div class="time" role="img" aria-label="Timeline of the run; the same is in the tables below">
<div class="axis"><span></span><div class="track">${axis}</div></div>
${rows.join('\n')}
</div></div>
<ul class="key">${used.map((what) => `<li class="${what}">${what}</li>`).join('')}<li class="outlined">on the critical path</li></ul></section>`;
}

function tooltip(id: string, work: Item['work']): string {
  const { what, reasons, detail, tier, steps, failed } = work;
  return [
    `${id} ${what}, ${duration(lengthOf(work))}${failed ? ', failed' : ''}`,
    ...(tier === undefined ? [] : [what === 'push' ? `to ${tier}` : `from ${tier}`]),
    ...(detail === undefined ? [] : [detail]),
    ...reasons.slice(0, 6).map((one) => reason(one, 60)),
    ...(reasons.length > 6 ? [`${reasons.length - 6} more`] : []),
    ...steps.map(
      ({ group, command, startMs, endMs }) =>
        `${group} ${duration(endMs - startMs)}: ${shortened(readable(command), 80)}`,
    ),
  ].join('\n');
}

/** Without what fills the build's path up to its fixed length. */
const readable = (command: string): string => command.replace(/_{8,}/g, '…');

/** Some five to ten round times. */
function ticksFor(totalMs: number): number[] {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200].map((seconds) => seconds * 1000);
  const step = steps.find((one) => totalMs / one <= 9) ?? 14_400_000;
  return Array.from({ length: Math.floor(totalMs / step) + 1 }, (_, at) => at * step).filter(
    (ms) => ms <= totalMs * 0.97,
  );
}

const afterWords: Readonly<Record<Link['after'], string>> = {
  stage: 'its stage before',
  dependency: 'what it depends on',
  worker: 'a free worker',
  nothing: '',
};

export function pathSection(record: RunRecord): string {
  const path = criticalPath(record);
  if (path.length === 0) return '';
  const totalMs = Math.max(1, record.durationMs);
  const workMs = path.reduce((sum, { work }) => sum + lengthOf(work), 0);
  const rows = path.map(({ package: id, work, after, waitedMs }, at) => {
    const share = ((100 * lengthOf(work)) / totalMs).toFixed(1);
    const wait = waitedMs >= 100 ? `, ${duration(waitedMs)} later` : '';
    const why = after === 'nothing' ? (at === 0 ? 'the start' : '') : afterWords[after];
    const name = work.what === 'install' ? 'the prefix' : id;
    return `<tr class="${work.what}"><td class="name">${text(name)}</td><td>${work.what}</td><td class="soft">${why}${wait}</td><td class="number">${duration(lengthOf(work))}</td><td class="number">${share} %</td><td class="wide"><div class="share" style="width:${share}%"></div></td></tr>`;
  });
  return `<section><h2>Critical path</h2>
<p class="soft">The chain that decided how long this took: ${duration(workMs)} of work out of ${duration(record.durationMs)}. Only what is faster here makes the whole faster.</p>
<div class="scroll"><table><thead><tr><th>Package</th><th>Work</th><th>Began after</th><th class="number">Took</th><th class="number">Share</th><th></th></tr></thead><tbody>${rows.join('\n')}</tbody></table></div></section>`;
}

const marks: Readonly<Record<RunPackage['outcome'], readonly [sign: string, tone: string]>> = {
  built: ['⚒', ''],
  restored: ['↓', 'good'],
  fresh: ['✓', 'good'],
  failed: ['✕', 'bad'],
  skipped: ['–', 'warn'],
  unfinished: ['…', 'warn'],
};

export function packagesSection({ packages }: RunRecord): string {
  if (packages.length === 0) return '';
  const rows = packages.map((one) => {
    const { package: id, outcome, answers, work, sizeBytes, before } = one;
    const [sign, tone] = marks[outcome];
    const first = work.find(({ reasons }) => reasons.length > 0);
    const why = one.because === undefined ? because(first?.reasons ?? []) : `needs ${one.because}`;
    const asked = [...new Set(answers.map((said) => `${said.tier} ${answered(said)}`))];
    const tookMs = work.filter(({ what }) => what !== 'push').reduce((sum, part) => sum + lengthOf(part), 0);
    const compared = comparison({ work, before });
    return `<tr><td class="name">${text(nameOf(id))}<span class="soft">@${text(versionOf(id))}</span></td><td class="mark ${tone}">${sign} ${outcome}</td><td class="why">${text(why)}</td><td class="caches soft">${text(asked.join('; '))}</td><td class="number">${tookMs === 0 ? '' : duration(tookMs)}</td><td class="number">${compared === undefined ? '' : against(compared)}</td><td class="number">${sizeBytes === undefined ? '' : size(sizeBytes)}</td></tr>`;
  });
  return `<section><h2>Packages</h2>
<p class="soft">What came of each one, why it was worked on, and what the caches said when they were asked.</p>
<div class="scroll"><table><thead><tr><th>Package</th><th>Outcome</th><th>Why</th><th>Caches</th><th class="number">Took</th><th class="number">Last time</th><th class="number">Size</th></tr></thead><tbody>${rows.join('\n')}</tbody></table></div></section>`;
}

function against({ nowMs, beforeMs }: NonNullable<ReturnType<typeof comparison>>): string {
  const percent = percentMore(nowMs, beforeMs);
  const tone = percent >= 10 ? 'bad' : percent <= -10 ? 'good' : 'soft';
  return `${duration(beforeMs)} <span class="${tone}">${signedPercent(percent)}</span>`;
}

/** How many of the slowest steps are listed. */
const mostSteps = 12;

export function stepsSection({ packages, durationMs }: RunRecord): string {
  const steps = packages
    .flatMap(({ package: id, work }) =>
      work.flatMap((one) => one.steps.map((step) => ({ id, ...step, ms: step.endMs - step.startMs }))),
    )
    .sort((a, b) => b.ms - a.ms)
    .slice(0, mostSteps);
  if (steps.length === 0) return '';
  const longest = Math.max(1, ...steps.map(({ ms }) => ms));
  const rows = steps.map(
    ({ id, group, command, ms }) =>
      `<tr class="compile"><td class="name">${text(nameOf(id))}</td><td class="mark">${text(group)}</td><td><code title="${text(command)}">${text(shortened(readable(command), 90))}</code></td><td class="number">${duration(ms)}</td><td class="wide"><div class="share" style="width:${((100 * ms) / longest).toFixed(1)}%"></div></td></tr>`,
  );
  return `<section><h2>Slowest steps</h2>
<p class="soft">The commands that took longest, of ${duration(durationMs)} in all.</p>
<div class="scroll"><table><thead><tr><th>Package</th><th>Group</th><th>Command</th><th class="number">Took</th><th></th></tr></thead><tbody>${rows.join('\n')}</tbody></table></div></section>`;
}

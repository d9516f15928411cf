/** A finished run as one HTML page that needs nothing else: no network, no script (pure). */
import { count } from '../model/count.ts';
import { nameOf } from '../model/package-id.ts';
import type { RunPackage, RunRecord } from '../model/run-record.ts';
import { outcomes } from './phrases.ts';
import { comparison } from './run-analysis.ts';
import { pageStyle } from './run-page-style.ts';
import { packagesSection, pathSection, stepsSection, timelineSection } from './run-page-parts.ts';
import { duration, list, numberOfEach, percentMore, signedPercent, size } from './words.ts';
import { escapedXml as text } from './xml.ts';

/** What the page says of its own: the run is as the record has it. */
export function runPage(record: RunRecord): string {
  const { headline, tone } = verdict(record);
  const started = new Date(record.startedAtMs).toISOString().replace(/\.\d+Z$/, 'Z');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${text(headline)}</title>
<style>${pageStyle}</style>
</head>
<body>
<main>
<h1 class="${tone}">${text(headline)}</h1>
<p class="soft"><time datetime="${started}">${started.replace('T', ' ').replace('Z', ' UTC')}</time>, ${text(record.platform)}, ${count(record.jobs, 'job')}, exit status ${record.exitStatus}</p>
${failures(record)}
${tiles(record)}
${[timelineSection, pathSection, packagesSection, stepsSection].map((section) => section(record)).join('\n')}
${cacheSection(record)}
${warningSection(record)}
<footer>Written by vbuild ${text(record.vbuild)} from its trace of the run. The page is whole: it loads nothing. “Last time” is how long the same
stages took the time before, here.</footer>
</main>
</body>
</html>
`;
}

const numbers = (packages: readonly RunPackage[], outcome: RunPackage['outcome']): number =>
  packages.filter((one) => one.outcome === outcome).length;

function verdict({ packages, targets, exitStatus, installed, durationMs, errors }: RunRecord): {
  headline: string;
  tone: string;
} {
  const names = targets.length === 0 ? 'all' : list(targets);
  const failed = packages.filter(({ outcome }) => outcome === 'failed');
  if (exitStatus >= 128) return { headline: `${names}: interrupted after ${duration(durationMs)}`, tone: 'warn' };
  if (failed.length > 0) return { headline: `${names}: ${list(failed.map((one) => one.package))} failed`, tone: 'bad' };
  if (exitStatus !== 0)
    return { headline: `${names}: ${errors[0]?.headline ?? `ended with status ${exitStatus}`}`, tone: 'bad' };
  const done = outcomes({
    restored: numbers(packages, 'restored'),
    built: numbers(packages, 'built'),
    fresh: numbers(packages, 'fresh'),
  });
  const place = installed === undefined ? '' : ` (generation ${installed.generation})`;
  return { headline: `${names} ready${place}: ${done} in ${duration(durationMs)}`, tone: 'good' };
}

function failures({ packages, errors }: RunRecord): string {
  const skippedBy = (id: string): string[] => packages.flatMap((one) => (one.because === id ? [one.package] : []));
  const boxes = packages.flatMap(({ package: id, error }) => {
    if (error === undefined) return [];
    const stage = error.stage === undefined ? '' : ` in ${error.stage}`;
    const skipped = skippedBy(id);
    const name = nameOf(id);
    const more = skipped.length === 0 ? '' : ` It held back ${list(skipped)}.`;
    return [
      `<div class="failure"><p><b>${text(id)}</b> failed${text(stage)}: ${text(error.headline)}</p><p class="soft">${text(more)} See <code>vbuild log ${text(name)}</code> and <code>vbuild why ${text(name)}</code>.</p></div>`,
    ];
  });
  const general = errors.map(({ headline }) => `<div class="failure"><p>${text(headline)}</p></div>`);
  return [...boxes, ...general].join('\n');
}

function tiles(record: RunRecord): string {
  const { packages, durationMs, traffic } = record;
  const asked = packages.filter(({ answers, outcome }) => answers.length > 0 && outcome !== 'fresh');
  const hits = asked.filter(({ outcome }) => outcome === 'restored').length;
  const received = traffic.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0);
  const sent = traffic.reduce((sum, { sentBytes }) => sum + sentBytes, 0);
  const sizes = packages.reduce((sum, { sizeBytes = 0 }) => sum + sizeBytes, 0);
  const compared = packages.flatMap((one) => comparison(one) ?? []);
  const [now, before] = [
    compared.reduce((sum, { nowMs }) => sum + nowMs, 0),
    compared.reduce((sum, { beforeMs }) => sum + beforeMs, 0),
  ];
  const rows: (readonly [string, string])[] = [
    [duration(durationMs), 'from start to end'],
    ...numberOfEach(
      ['built', 'restored', 'fresh', 'failed', 'skipped', 'unfinished'] as const,
      packages.map(({ outcome }) => outcome),
    ).map(([outcome, number]) => [String(number), outcome === 'restored' ? 'restored from a cache' : outcome] as const),
    ...(asked.length === 0 ? [] : [[`${hits} of ${asked.length}`, 'found in a cache'] as const]),
    ...(before === 0 ? [] : [[signedPercent(percentMore(now, before)), 'work against last time'] as const]),
    ...(received + sent === 0
      ? []
      : [[size(received + sent), `moved: ${size(received)} in, ${size(sent)} out`] as const]),
    ...(sizes === 0 ? [] : [[size(sizes), 'of artifacts'] as const]),
  ];
  return `<ul class="tiles">${rows.map(([value, label]) => `<li><b>${text(value)}</b><span>${text(label)}</span></li>`).join('')}</ul>`;
}

function cacheSection({ traffic }: RunRecord): string {
  if (traffic.length === 0) return '';
  const rows = traffic.map(
    ({ tier, requests, receivedBytes, sentBytes }) =>
      `<tr><td>${text(tier)}</td><td class="number">${requests}</td><td class="number">${size(receivedBytes)}</td><td class="number">${size(sentBytes)}</td></tr>`,
  );
  return `<section><h2>Traffic with caches</h2><div class="scroll"><table><thead><tr><th>Cache</th><th class="number">Requests</th><th class="number">Received</th><th class="number">Sent</th></tr></thead><tbody>${rows.join('')}</tbody></table></div></section>`;
}

function warningSection({ warnings }: RunRecord): string {
  if (warnings.length === 0) return '';
  const items = warnings.map(
    ({ headline, package: id }) => `<li>${id === undefined ? '' : `<b>${text(id)}</b>: `}${text(headline)}</li>`,
  );
  return `<section><h2>Warnings</h2><ul class="plain">${items.join('')}</ul></section>`;
}

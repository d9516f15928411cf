/** Puts artifacts of the seeds `0`, `1`, … into a disk cache, a line each, as a process of its own: `disk-writer.ts CACHE WORK COUNT`. */
import { diskCache } from '../../src/cache/disk.ts';
import { never, push, sample } from './sample.ts';

const [cache = '', work = '', count = '0'] = process.argv.slice(2);
for (let seed = 0; seed < Number(count); seed += 1) {
  const { manifest, file } = sample(work, String(seed), { sizeBytes: 300_000 });
  await push(manifest, file, diskCache(cache), never);
  process.stdout.write(`${seed}\n`);
}

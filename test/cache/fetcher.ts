/** Brings one artifact to a disk cache, as a process of its own that a test can kill: `fetcher.ts SPEC CACHE KEY`; prints what became of it. */
import { diskCache } from '../../src/cache/disk.ts';
import { layeredCache } from '../../src/cache/layered.ts';
import { s3Cache } from '../../src/cache/s3.ts';
import type { ContentKey } from '../../src/model/digest.ts';

const [spec = '', cache = '', key = ''] = process.argv.slice(2);
const layers = layeredCache(diskCache(cache), [s3Cache(JSON.parse(spec), process.env)]);
const { outcome } = await layers.fetchArtifact('zlib', key as ContentKey, new AbortController().signal);
process.stdout.write(outcome);

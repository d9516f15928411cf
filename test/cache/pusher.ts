/** Pushes one artifact, as a process of its own that a test can kill: `pusher.ts SPEC MANIFEST BODY`, the first two as JSON. */
import { s3Cache } from '../../src/cache/s3.ts';
import { push } from './sample.ts';

const [spec = '', manifest = '', body = ''] = process.argv.slice(2);
await push(JSON.parse(manifest), body, s3Cache(JSON.parse(spec), process.env), new AbortController().signal);

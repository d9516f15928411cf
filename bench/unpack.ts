/** Unpacks one archive as a source kind does: `node bench/unpack.ts ARCHIVE FOLDER`. */
import { unpackArchive } from '../src/system/archive.ts';

const [file = '', into = ''] = process.argv.slice(2);
await unpackArchive({ file, into });

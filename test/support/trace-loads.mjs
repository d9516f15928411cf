/** Preloaded with `--import`: at the end of the process appends the URL of every module that was loaded to the file named by TRACE_LOADS. */
import { appendFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

const urls = [];
registerHooks({
  load(url, context, nextLoad) {
    urls.push(url);
    return nextLoad(url, context);
  },
});
process.on('exit', () => {
  if (process.env.TRACE_LOADS) appendFileSync(process.env.TRACE_LOADS, urls.map((url) => `${url}\n`).join(''));
});

/**
 * Where the one-file program starts. What lies inside it is seen as if the program were the folder of the package, so that the modules
 * find each other, and a Buildfile finds them, by the names that they have in an installed package. Plain JavaScript: Node runs it as it is.
 */
const { readFileSync } = require('node:fs');
const { registerHooks } = require('node:module');
const { getAsset } = require('node:sea');
const { pathToFileURL } = require('node:url');
const vm = require('node:vm');

/** Nothing can lie below a file, so no file of the machine has such a URL. */
const top = `${pathToFileURL(process.execPath).href}/`;
const stdin = `${top}[stdin]`;

/** An import that fails is the first thing in it: what can be parsed is still not run. */
const unrunnable = () => `import 'nothing:'; ${readFileSync(0, 'utf8').replace(/^#!.*/, '')}`;

registerHooks({
  resolve(specifier, context, next) {
    const own = specifier.startsWith(top) || (specifier.startsWith('.') && context.parentURL?.startsWith(top));
    if (!own) return next(specifier, context);
    return { url: new URL(specifier, context.parentURL).href, format: 'module', shortCircuit: true };
  },
  load(url, context, next) {
    if (!url.startsWith(top)) return next(url, context);
    const source = url === stdin ? unrunnable() : getAsset(url.slice(top.length), 'utf8');
    return { source, format: 'module', shortCircuit: true };
  },
});

// The import() of a main program that is embedded knows Node's own modules only.
const load = new vm.Script('(url) => import(url)', {
  importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
}).runInThisContext();
load(process.env.VBUILD_PARSE === undefined ? `${top}bin/start.mjs` : stdin);

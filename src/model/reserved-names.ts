/** The names of vbuild's commands, those of later releases included: no package may bear one, so that `vbuild NAME` has one meaning. */

// biome-ignore format: one row per part of the tool reads better than one name per line
export const reservedNames: readonly string[] = [
  'build', 'plan', 'why', 'status', 'check', 'show', 'list', 'graph',
  'lock', 'update', 'fetch', 'patch', 'cache',
  'install', 'rollback', 'generations', 'release', 'exec', 'env',
  'log', 'shell', 'report', 'eject', 'verify', 'sbom', 'legal', 'key',
  'clean', 'init', 'doctor', 'completion', 'help', 'version',
];

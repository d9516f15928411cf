/** The recipe for Python packages: a wheel is built, offline, and installed by vbuild itself. */
import { assemble } from './assemble.ts';
import { installWheel } from './install-wheel.ts';
import { type CommonOptions, type Recipe, type Step, place } from './recipe.ts';
import { packingTools } from './tools.ts';

export interface PythonOptions extends CommonOptions {
  /** Settings for the build backend, passed by pip as `--config-settings NAME=VALUE`. */
  readonly configSettings?: Readonly<Record<string, string>>;
  /** Entries to set in the tree's `setup.cfg`, by section and name, such as `{ build_ext: { 'disable-xcb': '1' } }`. */
  readonly setupCfg?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Whether it is all Python: needs no compiler then. */
  readonly pure?: boolean;
}

/** Arguments: `SECTION NAME VALUE` again and again. Sections that are there already are kept and added to. */
const editSetupCfg = `import configparser, sys
config = configparser.RawConfigParser()
config.optionxform = str
config.read('setup.cfg', encoding='utf-8')
for section, name, value in zip(*[iter(sys.argv[1:])] * 3):
    if not config.has_section(section):
        config.add_section(section)
    for old in (name.replace('-', '_'), name.replace('_', '-')):
        config.remove_option(section, old)
    config.set(section, name, value)
with open('setup.cfg', 'w', encoding='utf-8') as file:
    config.write(file)
`;

/** Nothing is looked for but what lies here: no index, no environment made for the build, no dependencies, no cache. */
const offline = ['--verbose', '--no-index', '--no-build-isolation', '--no-deps', '--no-cache-dir'];

const siteFolder = `${place.prefix}/lib/${place.python}/site-packages`;

/** `pip wheel` with what is declared and nothing else, then its content into `lib/PYTHON/site-packages`, with `.pyc` files that are the same every time. */
export function python(options: PythonOptions = {}): Recipe {
  const known = { configSettings: 'record', setupCfg: 'sections', pure: 'boolean' } as const;
  return assemble('python', options, known, () => {
    const { configSettings = {}, setupCfg = {}, pure = false } = options;
    const settings = Object.entries(setupCfg).flatMap(([section, entries]) =>
      Object.entries(entries).flatMap(([name, value]) => [section, name, value]),
    );
    const backend = Object.entries(configSettings).map(([name, value]) => `--config-settings=${name}=${value}`);
    const wheels = `${place.root}/wheel`;
    const steps: Step[] = [
      {
        group: 'build',
        run: ['python3', '-m', 'pip', 'wheel', ...offline, ...backend, '--wheel-dir', wheels, '.'],
      },
      {
        group: 'install',
        run: ['python3', '-I', '-c', installWheel, wheels, place.stage, place.prefix, place.python],
      },
    ];
    if (settings.length > 0) {
      steps.unshift({ group: 'prepare', run: ['python3', '-I', '-c', editSetupCfg, ...settings] });
    }
    return {
      steps,
      tools: [
        ...(['python3', 'python-pip', 'python-setuptools', 'python-wheel'] as const),
        ...(pure ? [] : (['cc', 'pkg-config', 'python-headers', ...packingTools] as const)),
      ],
      env: {
        // pip reads the machine's and the user's configuration otherwise.
        PIP_CONFIG_FILE: '/dev/null',
        PIP_DISABLE_PIP_VERSION_CHECK: '1',
        PYTHONPATH: siteFolder,
      },
    };
  });
}

/** Notes which environment variables some code reads, so that what it computed can be trusted again while they stay the same. */

interface EnvironmentReads extends Disposable {
  /** Names in the order of their first reading; undefined once the code has looked at all of them, by listing or copying. */
  readonly names: () => readonly string[] | undefined;
}

/** Watches until disposed. Code that kept the environment it was given goes on being watched, for nothing. */
export function watchEnvironment(): EnvironmentReads {
  const real = process.env;
  const names = new Set<string>();
  let all = false;
  const note = (name: string | symbol): void => void (typeof name === 'string' && names.add(name));
  process.env = new Proxy(real, {
    get(target, name) {
      note(name);
      return Reflect.get(target, name) as unknown;
    },
    has(target, name) {
      note(name);
      return Reflect.has(target, name);
    },
    getOwnPropertyDescriptor(target, name) {
      note(name);
      return Reflect.getOwnPropertyDescriptor(target, name);
    },
    ownKeys(target) {
      all = true;
      return Reflect.ownKeys(target);
    },
  });
  return {
    names: () => (all ? undefined : [...names]),
    [Symbol.dispose]() {
      process.env = real;
    },
  };
}

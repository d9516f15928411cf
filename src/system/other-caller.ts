/** Changes for a while what callers of this program differ in, for real: variables of its own environment, and its umask. */

/** @param variables Set until disposed, for this process and whatever inherits from it. */
export function asOtherCaller(variables: Readonly<Record<string, string>>): Disposable {
  const before = Object.keys(variables).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, variables);
  const umask = process.umask(0o077);
  return {
    [Symbol.dispose]() {
      process.umask(umask);
      for (const [name, value] of before) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    },
  };
}

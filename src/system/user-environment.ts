/** The environment of programs that reach the network as the user's own would: everything of the user's, but nobody is there to answer. */

/** Where systems have programs: the PATH of what must not see the user's own, and of what no environment names one for. */
export const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * @param environment The user's.
 * @param drops       Variables that would make the program do something else than it is told.
 */
export function unattendedEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  drops: RegExp,
): Record<string, string> {
  const kept = Object.entries(environment).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !drops.test(entry[0]),
  );
  return {
    PATH: systemPath,
    // Without these ssh asks for passwords and host keys on the terminal, whatever stdin is.
    SSH_ASKPASS: '/bin/false',
    ...Object.fromEntries(kept),
    SSH_ASKPASS_REQUIRE: 'force',
    // File names are UTF-8, and messages come in one language.
    LC_ALL: 'C.UTF-8',
  };
}

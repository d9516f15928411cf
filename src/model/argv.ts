/** The program that a step of a recipe or of a generated source is. */
export const argvOf = (step: readonly string[] | string): readonly string[] =>
  typeof step === 'string' ? ['bash', '-eu', '-o', 'pipefail', '-c', step] : step;

/** The C compiler that the environment asks for (`CC`), as make understands it: a command, perhaps with options. */
export function compilerSetting(): string | undefined {
  return process.env['CC'];
}

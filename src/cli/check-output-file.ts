import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { CommandLineError } from './command-line-error.ts'

/**
 * Checks that a file can be written, before a command begins its work.
 * @param argument the name of the argument or option, for errors
 * @param file undefined if the argument is not given
 * @throws CommandLineError
 */
export function checkOutputFile(argument: string, file: string | undefined): void {
  if (file === undefined) return
  const directory = dirname(resolve(file))
  if (!existsSync(directory)) throw new CommandLineError(`${argument}: ${directory} does not exist`)
  if (existsSync(file) && statSync(file).isDirectory())
    throw new CommandLineError(`${argument}: ${file} is a directory`)
  try {
    accessSync(existsSync(file) ? file : directory, constants.W_OK)
  } catch (error) {
    throw new CommandLineError(`${argument}: ${file} must not be written by this user`, { cause: error })
  }
}

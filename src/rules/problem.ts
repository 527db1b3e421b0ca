/** Why a provider refuses a notification. Contains names of fields, and never one of their values. */
export interface Problem {
  /** The path of the field within the notification, for example `android.ttl`; empty for the notification itself. */
  field: string
  /** The problem, as a sentence without its subject: `must be a string`. */
  why: string
}

/**
 * Whether a text is not known yet: it contains a template expression, which is rendered for each target. Only its kind
 * can be checked before that.
 */
export type IsOpen = (text: string) => boolean

/** For notifications without templates. */
export const NOTHING_OPEN: IsOpen = () => false

/** The longest name of a field in an error. Longer names, and unusual ones, may be data. */
const PLAIN_NAME = /^[\w.-]{1,64}$/

/** A problem of the field `name` that contains the field of `problem`. */
export function within(name: string, problem: Problem): Problem {
  const shown = PLAIN_NAME.test(name) ? name : '(a key)'
  return { field: problem.field === '' ? shown : `${shown}.${problem.field}`, why: problem.why }
}

/** A problem as text: its field, a colon and the sentence. @param prefix the path of the notification */
export function describeProblem(prefix: string, { field, why }: Problem): string {
  return `${prefix}${field === '' ? '' : `.${field}`}: ${why}`
}

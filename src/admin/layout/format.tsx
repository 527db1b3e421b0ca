import type { Child } from 'hono/jsx'

/**
 * A time. The page has it in UTC, and the script of the page shows it in the time zone of the reader.
 * @param ms Unix time in ms; undefined shows a dash
 */
export function Time({ ms }: { ms: number | undefined }) {
  if (ms === undefined) return <span class="faint">–</span>
  const iso = new Date(ms).toISOString()
  return (
    <time datetime={iso} title={iso}>
      {`${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`}
    </time>
  )
}

/** A number with separators between thousands. */
export function formatCount(count: number): string {
  return count.toLocaleString('en')
}

/** A number with its noun, which gets an `s` for all numbers but one. */
export function countOf(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`
}

/** A duration in its largest unit. */
export function formatDuration(ms: number): string {
  const seconds = ms / 1000
  if (seconds < 1) return `${Math.round(ms)} ms`
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`
  return `${Math.floor(seconds / 86_400)} days`
}

/** A part of a whole in percent. */
export function formatShare(part: number, whole: number): string {
  if (whole === 0) return '–'
  const percent = (100 * part) / whole
  return `${percent >= 99.95 || percent === 0 ? Math.round(percent) : percent.toFixed(1)}\u00a0%`
}

/** A part of a whole as a bar. Its number stands beside it, so screen readers leave it out. */
export function ShareBar({ part, whole }: { part: number; whole: number }) {
  const percent = whole === 0 ? 0 : Math.min(100, (100 * part) / whole)
  return (
    <svg class="bar" aria-hidden="true">
      <rect width={`${percent.toFixed(1)}%`} height="100%" />
    </svg>
  )
}

/** The last characters of a token. A whole token is enough to send to its phone. */
export function maskToken(token: string): string {
  return `…${token.slice(-6)}`
}

/** The last characters of an id. The first ones are the time, which is much the same in a whole list. */
export function shortenId(id: string): string {
  return id.length > 17 ? `…${id.slice(-15)}` : id
}

/** A value, or a dash for an empty one. */
export function OrDash({ children }: { children?: Child }) {
  return children === '' || children === undefined ? <span class="faint">–</span> : children
}

/** The state of something as a colored word. */
export function State({ name }: { name: string }) {
  return <span class={`state state-${name.replaceAll(/[^a-z_]/g, '')}`}>{name}</span>
}

import { getCookie } from 'hono/cookie'
import type { AdminContext } from '../admin-environment.ts'
import type { AdminRole } from '../auth/session.ts'
import { NOTICES, type Notice } from './notices.ts'

/** The color themes. `system` follows the setting of the reader's system. */
export const THEMES = ['system', 'light', 'dark'] as const
/** One of THEMES. */
export type Theme = (typeof THEMES)[number]

/** The cookie with the theme. */
export const THEME_COOKIE = 'centripush_theme'

/** The parameters of a link. An empty or undefined value is left out. */
export type LinkQuery = Readonly<Record<string, string | number | undefined>>

/** The facts about a request that all parts of its page need. */
export interface Ui {
  /** The path of the web UI, for example `/admin`. */
  base: string
  /** Undefined before the login. */
  role: AdminRole | undefined
  /** The name at the identity provider; empty without one. */
  person: string
  theme: Theme
  /** Path and query of the page. */
  here: string
  notice: { text: string; isError: boolean } | undefined
  /** A path of the web UI as a link. */
  link(path: string, query?: LinkQuery): string
}

/** Reads the facts about a request. */
export function readUi(context: AdminContext, base: string): Ui {
  const theme = getCookie(context, THEME_COOKIE)
  const url = new URL(context.req.url)
  return {
    base,
    role: context.get('session')?.role,
    person: context.get('session')?.person ?? '',
    theme: THEMES.find((known) => known === theme) ?? 'system',
    here: url.pathname + url.search,
    notice: readNotice(context.req.query('notice'), context.req.query('count')),
    link: (path, query = {}) => makeLink(base, path, query),
  }
}

/** Makes a link to a path of the web UI. */
export function makeLink(base: string, path: string, query: LinkQuery): string {
  const given = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') given.set(name, String(value))
  }
  const search = given.toString()
  return `${base}${path}${search === '' ? '' : `?${search}`}`
}

/** Notices come from a table: a link to the web UI can't put words into its mouth. */
function readNotice(name: string | undefined, count: string | undefined): Ui['notice'] {
  const notice: Notice | undefined = name !== undefined && Object.hasOwn(NOTICES, name) ? NOTICES[name] : undefined
  if (!notice) return undefined
  const number = Number(count)
  const counted = Number.isSafeInteger(number) && number >= 0 ? number : 0
  return { text: notice.text.replace('{count}', counted.toLocaleString('en')), isError: notice.isError ?? false }
}

/** The page to show after a login: only a path of the web UI, never another site. */
export function readNext(base: string, next: string | undefined): string {
  const url = URL.parse(next ?? '', 'http://localhost')
  const isOwn = url?.origin === 'http://localhost' && (url.pathname === base || url.pathname.startsWith(`${base}/`))
  return isOwn ? url.pathname + url.search : base
}

// The path of a request as Go's net/http takes it, which decides what a node answers.

/** A request's target as sent: the path, and the query with its question mark. Proxies may send whole URLs. */
export function splitTarget(target = '/'): { path: string; query: string } {
  const local = target.startsWith('/') ? target : target.replace(/^https?:\/\/[^/?]*/i, '')
  const end = local.indexOf('?')
  return end === -1 ? { path: local, query: '' } : { path: local.slice(0, end), query: local.slice(end) }
}

/** The path that routes are compared with: unescaped element by element, so that `%2F` makes no new element. */
export function unescapePath(path: string): string {
  return path.includes('%') ? path.split('/').map(unescapeElement).join('/') : path
}

function unescapeElement(element: string): string {
  try {
    const unescaped = decodeURIComponent(element)
    return unescaped.includes('/') ? element : unescaped
  } catch {
    // A stray percent sign, or not UTF-8: such a path is none of ours.
    return element
  }
}

/**
 * The path that Go's ServeMux redirects to when a request's path is not clean: no `.`, `..` or empty elements, a slash at
 * the end kept. Undefined when `path` is clean already. https://pkg.go.dev/net/http#hdr-Request_sanitizing-ServeMux
 */
export function cleanPath(path: string): string | undefined {
  const elements: string[] = []
  for (const element of path.split('/')) {
    if (element === '..') elements.pop()
    else if (element !== '' && element !== '.') elements.push(element)
  }
  // As in Go, a path that ends in a dot element gets no slash from it.
  const end = path.endsWith('/') && elements.length > 0 ? '/' : ''
  const clean = `/${elements.join('/')}${end}`
  return clean === path ? undefined : clean
}

/** As Go's `url.URL{Path: path}` is written; ServeMux hands it an escaped path, so percent signs are escaped twice. */
export function escapePath(path: string): string {
  return path.replace(/[^A-Za-z0-9\-_.~$&+,/:;=@]/g, (char) => {
    return `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
  })
}

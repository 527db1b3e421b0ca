// The path of a request as Go's net/http reads it, because a node's answers depend on it.

/** Splits a request target into its path and its query with the question mark. Proxies may send whole URLs. */
export function splitTarget(target = '/'): { path: string; query: string } {
  const local = target.startsWith('/') ? target : target.replace(/^https?:\/\/[^/?]*/i, '')
  const end = local.indexOf('?')
  return end === -1 ? { path: local, query: '' } : { path: local.slice(0, end), query: local.slice(end) }
}

/** The path for routing, unescaped element by element, so that `%2F` does not separate elements. */
export function unescapePath(path: string): string {
  return path.includes('%') ? path.split('/').map(unescapeElement).join('/') : path
}

function unescapeElement(element: string): string {
  try {
    const unescaped = decodeURIComponent(element)
    return unescaped.includes('/') ? element : unescaped
  } catch {
    // An invalid escape, or not UTF-8: no route matches such a path.
    return element
  }
}

/**
 * The path that Go's ServeMux redirects to: without `.`, `..` and empty elements, with the slash at the end if there is
 * one. Undefined when `path` is clean. https://pkg.go.dev/net/http#hdr-Request_sanitizing-ServeMux
 */
export function cleanPath(path: string): string | undefined {
  const elements: string[] = []
  for (const element of path.split('/')) {
    if (element === '..') elements.pop()
    else if (element !== '' && element !== '.') elements.push(element)
  }
  // As in Go, a dot element at the end leaves no slash.
  const end = path.endsWith('/') && elements.length > 0 ? '/' : ''
  const clean = `/${elements.join('/')}${end}`
  return clean === path ? undefined : clean
}

/**
 * Formats a path as Go's `url.URL{Path: path}`. ServeMux passes it an escaped path, so percent signs are escaped twice.
 */
export function escapePath(path: string): string {
  return path.replace(/[^A-Za-z0-9\-_.~$&+,/:;=@]/g, (char) => {
    return `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
  })
}

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

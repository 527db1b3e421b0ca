import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { AdminContext } from '../admin-environment.ts'

const TYPES = {
  'admin.css': 'text/css; charset=utf-8',
  'admin.js': 'text/javascript; charset=utf-8',
  'icon.svg': 'image/svg+xml',
} as const

/** Makes the handler of the files of pages. They are read once. */
export function makeAssetHandler(): (context: AdminContext) => Response | Promise<Response> {
  const files = new Map(
    Object.entries(TYPES).map(([name, type]) => {
      const bytes = readFileSync(new URL(name, import.meta.url))
      const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 16)}"`
      return [name, { bytes: new Uint8Array(bytes), type, etag }]
    }),
  )
  return (context) => {
    const file = files.get(context.req.param('name') ?? '')
    if (!file) return context.notFound()
    // Browsers ask each time whether the file has changed, so an update of the server takes effect at once.
    const headers = { 'content-type': file.type, etag: file.etag, 'cache-control': 'no-cache' }
    if (context.req.header('if-none-match') === file.etag) return context.body(null, 304, headers)
    return context.body(file.bytes, 200, headers)
  }
}

import { ByteWriter } from '../../src/http2/frames/byte-writer.ts'
import type { Scope } from '../../src/personalise/scope.ts'
import { compileJson } from '../../src/personalise/template.ts'

/** Compiles a JSON text and renders it to a sink like that of the providers. */
export function renderJson(json: string | Buffer, scope: Scope): string {
  const out = new ByteWriter()
  compileJson(Buffer.from(json)).write(scope, out)
  return out.take().toString()
}
